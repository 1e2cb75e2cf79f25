#version 330
#define PI 3.14159265

// The light of the room comes from everywhere; a lamp adds a direction. Together they light a table fully.
const float ROOM = 0.62;
const float LAMP = 0.55;

vec3 to_linear(vec3 c) {
    return mix(c / 12.92, pow((c + 0.055) / 1.055, vec3(2.4)), step(0.04045, c));
}

// Roots instead of a power: within 0.002 of sRGB, and several times as fast.
vec3 to_srgb(vec3 c) {
    c = clamp(c, 0.0, 1.0);
    vec3 a = sqrt(c), b = sqrt(a), d = sqrt(b);
    return clamp(0.662002687 * a + 0.684122060 * b - 0.323583601 * d - 0.0225411470 * c, 0.0, 1.0);
}
