in vec3 place;
in vec3 facing;
flat in vec4 color;
uniform vec3 eye;
uniform vec3 lamp;
uniform mat4 light;
uniform vec3 table;
uniform sampler2D cover;      // what the lamp sees: how much is covered, and that times its distance
uniform vec2 range;
out vec4 seen;

void main() {
    vec3 n = normalize(facing);
    vec3 to_lamp = normalize(lamp - place);
    vec3 to_eye = normalize(eye - place);
    // In shadow is what lies well behind what the lamp sees around there; so round things have no edges from themselves.
    vec4 at = light * vec4(place, 1.0);
    vec2 around = textureLod(cover, at.xy / at.w * 0.5 + 0.5, 1.0).rg;
    float caster = mix(range.x, range.y, around.y / max(around.x, 1e-3));
    float lit = 1.0 - around.x * smoothstep(0.02, 0.06, distance(place, lamp) - caster);
    float cosine = max(dot(n, to_lamp), 0.0);
    vec3 halfway = normalize(to_lamp + to_eye);
    float gloss = color.a;
    float shine = max(dot(n, halfway), 0.0);
    shine *= shine;
    shine *= shine;
    shine *= shine;
    shine *= shine;
    shine *= shine;
    float highlight = gloss * shine;
    // From above comes the light of the ceiling, from below what the table throws back.
    float up = 0.5 + 0.5 * n.z;
    float near = 1.0 / (1.0 + 4.0 * max(place.z, 0.0));
    vec3 room = mix(mix(vec3(0.35), table, 0.6) * (0.55 + 0.45 * (1.0 - near)), vec3(1.0), up);
    float edge = 1.0 - max(dot(n, to_eye), 0.0);
    edge *= edge;
    float rim = gloss * edge * edge;
    vec3 sum = color.rgb * (ROOM * room + LAMP * lit * cosine) + LAMP * lit * highlight + 0.25 * rim * room;
    seen = vec4(to_srgb(sum), 1.0);
}
