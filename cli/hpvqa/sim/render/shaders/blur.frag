// The next level of a pyramid: a tent over four by four texels.
uniform sampler2D finer;
uniform int level;
out vec2 cover;

void main() {
    vec2 texel = 1.0 / vec2(textureSize(finer, level - 1));
    vec2 at = 2.0 * gl_FragCoord.xy * texel;
    vec2 off = 0.75 * texel;
    cover = 0.25 * (textureLod(finer, at - off, level - 1).rg + textureLod(finer, at + off, level - 1).rg
        + textureLod(finer, at + vec2(off.x, -off.y), level - 1).rg
        + textureLod(finer, at + vec2(-off.x, off.y), level - 1).rg);
}
