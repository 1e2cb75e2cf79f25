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

#ifdef THINGS
in vec3 own;
flat in vec4 solid;
const float SQUARE = 0.0125;  // side of a square, about [m]
const float SHADE = 0.2;      // squares are so much lighter and darker than the colour that they have together (sRGB)

// 1 in every other cell of a row, -1 in those between: the mean over a pixel of this width, which ends with the row.
vec3 alternating(vec3 at, vec3 width, vec3 cells) {
    vec3 low = clamp(at - 0.5 * width, vec3(0.0), cells), high = clamp(at + 0.5 * width, vec3(0.0), cells);
    return 2.0 * (abs(fract(0.5 * low) - 0.5) - abs(fract(0.5 * high) - 0.5)) / (high - low);
}

// What is round is laid out like the box around it, by angle, so that no square meets a seam.
vec3 chequered(vec3 plain) {
    vec3 at = own / solid.xyz;
    vec3 steep = abs(at);
    if (solid.w > 2.5)
        at = atan(at / max(max(steep.x, steep.y), steep.z)) * (4.0 / PI);
    else if (solid.w > 1.5)
        at.xy = atan(at.xy / max(max(steep.x, steep.y), 1e-6)) * (4.0 / PI * length(at.xy));
    // A side lies within the outermost cells, not on their boundary.
    vec3 cells = max(round(2.0 * solid.xyz / SQUARE), 2.0);
    at = (0.9995 * at + 1.0) * 0.5 * cells;
    vec3 signs = alternating(at, max(fwidth(at), 1e-3), cells);
    return to_linear(clamp(to_srgb(plain) + SHADE * signs.x * signs.y * signs.z, 0.0, 1.0));
}
#endif

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
#ifdef THINGS
    vec3 albedo = solid.w < 0.0 ? color.rgb : chequered(color.rgb);
#else
    vec3 albedo = color.rgb;
#endif
    vec3 sum = albedo * (ROOM * room + LAMP * lit * cosine) + LAMP * lit * highlight + 0.25 * rim * room;
    seen = vec4(to_srgb(sum), 1.0);
}
