// What moves, and its shadows, laid over the room.
uniform sampler2D movers;
uniform sampler2D seen;       // alpha: the lamp's share of the light
uniform sampler2D lookup;     // where to look in the picture of all shadows
uniform sampler2D taken;
uniform vec2 texel;
out vec4 color;

void main() {
    ivec2 at = ivec2(gl_FragCoord.xy);
    vec4 back = texelFetch(seen, at, 0);
    vec2 lost = textureLod(taken, texelFetch(lookup, at, 0).rg, 0.0).rg;
    // A colour is stored about as the root of its light.
    vec3 behind = back.rgb * sqrt(1.0 - mix(lost.g, lost.r, back.a));
#if MOVERS
    vec4 mover = textureLod(movers, gl_FragCoord.xy * texel, 0.0);
    behind = mover.rgb + (1.0 - mover.a) * behind;
#endif
    color = vec4(behind, 1.0);
}
