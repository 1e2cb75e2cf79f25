// Which part a pixel's centre shows, and how far away it is along the camera's line of sight, in two bytes.
in vec3 place;
flat in vec4 color;
uniform vec3 eye;
uniform vec3 ahead;
out vec4 seen;

void main() {
    uint far = uint(clamp(DEPTH_SCALE * dot(place - eye, ahead) + 0.5, 0.0, 65535.0));
    seen = vec4(color.r, float(far >> 8u) / 255.0, float(far & 255u) / 255.0, 1.0);
}
