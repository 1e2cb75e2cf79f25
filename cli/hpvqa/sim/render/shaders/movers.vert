layout(location = 0) in vec3 position;
layout(location = 1) in vec3 normal;
layout(location = 2) in float part;
uniform vec4 poses[3 * PARTS];
uniform vec4 colors[PARTS];
uniform mat4 view;
out vec3 place;
out vec3 facing;
flat out vec4 color;
#ifdef THINGS
uniform vec4 solids[THINGS];   // half the size of each thing [m], and along how many axes it is round; -1: it is plain
out vec3 own;
flat out vec4 solid;
#endif

void main() {
    int number = int(part);
    vec4 a = poses[3 * number], b = poses[3 * number + 1], c = poses[3 * number + 2];
    vec4 at = vec4(position, 1.0);
    place = vec3(dot(a, at), dot(b, at), dot(c, at));
    facing = vec3(dot(a.xyz, normal), dot(b.xyz, normal), dot(c.xyz, normal));
    color = colors[number];
#ifdef THINGS
    own = position;
    solid = number < FIRST ? vec4(1.0, 1.0, 1.0, -1.0) : solids[number - FIRST];
#endif
    gl_Position = view * vec4(place, 1.0);
}
