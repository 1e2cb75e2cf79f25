// How far it is from the lamp to what stands still, by direction.
uniform mat4 back;
uniform vec2 size;
uniform vec3 lamp;
uniform vec3 room;
uniform vec3 table[2];
out float reach;

void main() {
    vec4 far = back * vec4(gl_FragCoord.xy / size * 2.0 - 1.0, 1.0, 1.0);
    vec3 ray = normalize(far.xyz / far.w - lamp);
    float down = -lamp.z / min(ray.z, -1e-6);
    vec2 top = lamp.xy + down * ray.xy;
    bool on = ray.z < 0.0 && all(greaterThan(top, table[0].xy)) && all(lessThan(top, table[1].xy));
    vec3 leave = max((vec3(-room.x, -room.x, room.y) - lamp) / ray, (vec3(room.x, room.x, room.z) - lamp) / ray);
    reach = on ? down : min(leave.x, min(leave.y, leave.z));
}
