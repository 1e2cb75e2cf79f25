layout(location = 0) in vec3 position;
layout(location = 2) in float part;
uniform vec4 poses[3 * PARTS];
uniform mat4 light;

void main() {
    int row = 3 * int(part);
    vec4 at = vec4(position, 1.0);
    gl_Position = light * vec4(dot(poses[row], at), dot(poses[row + 1], at), dot(poses[row + 2], at), 1.0);
}
