// What a light sees of everything that moves, texel by texel, for its soft shadows.
uniform sampler2D depth;
uniform vec2 range;           // nearest and furthest distance [m]
uniform bool lamp;
out vec2 cover;

void main() {
    ivec2 at = 2 * ivec2(gl_FragCoord.xy);
    vec2 sum = vec2(0.0);
    for (int i = 0; i < 4; i++) {
        float d = texelFetch(depth, at + ivec2(i & 1, i >> 1), 0).r;
        if (d == 1.0) continue;
        if (lamp) {
            // How much is covered, and that times its distance as a share of the range.
            float away = range.x * range.y / (range.y - d * (range.y - range.x));
            sum += vec2(1.0, (away - range.x) / (range.y - range.x));
        } else {
            // The ceiling: how much of its light is taken, by what is near the table and by what is high above it.
            float height = mix(range.x, range.y, d);
            float high = smoothstep(0.03, 0.25, height);
            sum += vec2(1.0 - high, high) * 0.75 / (1.0 + 3.0 * height);
        }
    }
    cover = sum / 4.0;
}
