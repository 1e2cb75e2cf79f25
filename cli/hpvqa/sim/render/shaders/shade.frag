// How much of the light of lamp (red) and ceiling (green) is taken from what stands still; it serves all cameras.
uniform sampler2D lamp_cover;
uniform sampler2D room_cover;
uniform sampler2D reach;      // how far it is from the lamp to what stands still
uniform vec2 size;            // of each half of the picture
uniform vec3 table[2];
uniform vec3 lamp;
uniform mat4 light;
uniform mat4 above;
uniform vec2 range;           // nearest and furthest distance from the lamp [m]
uniform float radius;         // of the lamp [m]
uniform float scale;          // texels of the lamp's finest cover that 1 m is wide, 1 m away
out vec2 taken;

// Four lookups half a texel apart hide the squares of a coarse level.
vec2 smoothly(sampler2D cover, vec2 uv, float level) {
    vec2 off = 0.5 * exp2(level) / vec2(textureSize(cover, 0));
    return 0.25 * (textureLod(cover, uv - off, level).rg + textureLod(cover, uv + off, level).rg
        + textureLod(cover, uv + vec2(off.x, -off.y), level).rg
        + textureLod(cover, uv + vec2(-off.x, off.y), level).rg);
}

float by_lamp(vec2 uv, float away) {
    vec2 around = textureLod(lamp_cover, uv, 3.0).rg;
    // Where hardly anything is seen, a caster somewhere in between is assumed: nothing jumps.
    float share = (around.y + 0.02 * 0.5) / (around.x + 0.02);
    float caster = mix(range.x, range.y, share);
    float blur = radius * max(away - caster, 0.0) / caster * scale / away;
    return smoothly(lamp_cover, uv, log2(max(blur, 1.0))).r;
}

void main() {
#if TABLE
    vec3 p = mix(table[0], table[1], vec3(gl_FragCoord.xy / size, 1.0));
    vec4 h = light * vec4(p, 1.0);
    vec2 top = (above * vec4(p, 1.0)).xy * 0.5 + 0.5;
    // The nearer something is, the sharper what it takes.
    float lost = textureLod(room_cover, top, 1.0).r + smoothly(room_cover, top, 3.0).g;
    taken = vec2(by_lamp(h.xy / h.w * 0.5 + 0.5, distance(p, lamp)), lost);
#else
    vec2 uv = (gl_FragCoord.xy - vec2(size.x, 0.0)) / size;
    taken = vec2(by_lamp(uv, textureLod(reach, uv, 0.0).r), 0.0);
#endif
}
