// Everything that does not move, by rays: once for each camera of an episode, so it may cost.
uniform vec3 eye;
uniform mat3 turned;
uniform vec2 size;
uniform float focal;
uniform vec3 lamp;
uniform float lamp_radius;
uniform vec3 room;            // half width, floor, ceiling
uniform vec3 boxes[2 * BOXES];
uniform vec3 furniture[2];    // a box around all of them
uniform vec3 box_colors[BOXES];
uniform vec3 walls[4];
uniform vec3 ground;
uniform ivec3 surfaces;      // of the table, the floor and the walls
uniform int samples;
uniform mat4 light;
layout(location = 0) out vec4 seen;
layout(location = 1) out vec2 lookup;

bool box(vec3 from, vec3 inverse, int number, float most, out float near, out vec3 normal) {
    vec3 low = (boxes[2 * number] - from) * inverse;
    vec3 high = (boxes[2 * number + 1] - from) * inverse;
    vec3 enter = min(low, high), leave = max(low, high);
    near = max(enter.x, max(enter.y, enter.z));
    float far = min(leave.x, min(leave.y, leave.z));
    normal = -sign(inverse) * step(enter.yzx, enter.xyz) * step(enter.zxy, enter.xyz);
    return near < far && near > 1e-4 && near < most;
}

float hash(vec2 p) {
    uvec2 q = uvec2(ivec2(p)) * uvec2(1597334673u, 3812015801u);
    uint h = (q.x ^ q.y) * 1597334673u;
    h ^= h >> 15;
    h *= 2246822519u;
    return float((h ^ (h >> 13)) & 0xffffu) / 65535.0;
}

float noise(vec2 p) {
    vec2 cell = floor(p), f = fract(p);
    f = f * f * (3.0 - 2.0 * f);
    return mix(mix(hash(cell), hash(cell + vec2(1, 0)), f.x),
        mix(hash(cell + vec2(0, 1)), hash(cell + vec2(1, 1)), f.x), f.y);
}

float layers(vec2 p) {
    return 0.5 * noise(p) + 0.25 * noise(2.03 * p + 17.0) + 0.125 * noise(4.01 * p + 31.0) + 0.0625;
}

#if TEXTURED
// How light a surface is at a place, about 1 on average; fine detail fades where a pixel is larger.
float surface(int kind, vec2 p, float width, float pixel) {
    if (kind == 1) {          // wood: boards with a grain along them
        float board = floor(p.y / width);
        vec2 q = vec2(p.x + 3.7 * hash(vec2(board, 3.0)), p.y);
        float grain = layers(vec2(3.0 * q.x, 38.0 * q.y) + 60.0 * hash(vec2(board, 7.0)));
        float rings = 0.5 + 0.5 * sin(2.0 * PI * (7.0 * q.y + 1.6 * layers(vec2(1.4 * q.x, 5.0 * q.y) + board)) * 2.0);
        float gap = smoothstep(0.0, 0.0025, min(fract(p.y / width), 1.0 - fract(p.y / width)) * width);
        return (0.86 + 0.20 * grain + 0.07 * rings + 0.10 * (hash(vec2(board, 1.0)) - 0.5)) * mix(0.72, 1.0, gap);
    }
    if (kind == 2) {          // fabric: threads over and under
        vec2 q = p / 0.006;
        float over = mod(floor(q.x) + floor(q.y), 2.0);
        vec2 f = abs(fract(q) - 0.5);
        float seen = clamp(1.5 - pixel / 0.002, 0.0, 1.0);
        return 0.98 + 0.12 * seen * (mix(1.0 - 2.0 * f.x, 1.0 - 2.0 * f.y, over) - 0.5) + 0.16 * (layers(9.0 * p) - 0.5);
    }
    if (kind == 3) {          // plastic: almost even
        return 0.965 + 0.07 * layers(260.0 * p);
    }
    return 1.0;
}
#endif

// What a rectangle at z = 0 takes of the light from above [1]: Lambert's formula for a polygon, seen from p.
float under_table(vec3 p, vec3 n, int edges) {
    vec2 a = boxes[0].xy, b = boxes[1].xy;
    vec3 c[4] = vec3[4](
        normalize(vec3(a, 0.0) - p), normalize(vec3(b.x, a.y, 0.0) - p),
        normalize(vec3(b, 0.0) - p), normalize(vec3(a.x, b.y, 0.0) - p));
    float sum = 0.0;
    for (int i = 0; i < edges; i++) {
        vec3 u = c[i], v = c[(i + 1) & 3];
        vec3 across = cross(u, v);
        sum += acos(clamp(dot(u, v), -1.0, 1.0)) * dot(n, across) / max(length(across), 1e-6);
    }
    return abs(sum) / (2.0 * PI);
}

// What a ray from the eye meets: a box, or the room (-1); how far, and the normal there.
int hit(vec3 ray, out float t, out vec3 n) {
    vec3 inverse = 1.0 / (ray + vec3(equal(ray, vec3(0.0))) * 1e-9);
    // Inside of the room: where the ray leaves it.
    vec3 low = (vec3(-room.x, -room.x, room.y) - eye) * inverse;
    vec3 high = (vec3(room.x, room.x, room.z) - eye) * inverse;
    vec3 leave = max(low, high);
    t = min(leave.x, min(leave.y, leave.z));
    n = -sign(ray) * step(leave.xyz, leave.yzx) * step(leave.xyz, leave.zxy);
    int what = -1;
    // Loops end early where no ray of a few neighbours needs them; plain conditions would save nothing.
    vec3 enter = min((furniture[0] - eye) * inverse, (furniture[1] - eye) * inverse);
    vec3 exit = max((furniture[0] - eye) * inverse, (furniture[1] - eye) * inverse);
    bool hits = max(enter.x, max(enter.y, enter.z)) < min(exit.x, min(exit.y, exit.z));
    for (int k = 0; k < (hits ? BOXES : 0); k++) {
        float near;
        vec3 normal;
        if (box(eye, inverse, k, t, near, normal)) { t = near; n = normal; what = k; }
        // Nothing stands on the table's top.
        if (what == 0 && n.z > 0.5) break;
    }
    return what;
}

#if EVEN
// Whether two points are well beyond the same side of all furniture, so that nothing of it is between them.
bool beyond(vec2 a, vec2 b) {
    vec2 low = furniture[0].xy - 0.12, high = furniture[1].xy + 0.12;
    return any(lessThan(max(a, b), low)) || any(greaterThan(min(a, b), high));
}

// The same of what fills most of a picture, without a loop: the table's top, and the room where nothing is before it nor
// between it and the lamp. Elsewhere 0; else a number that is one side's alone.
int side(vec3 ray, out float t, out vec3 n) {
    vec2 top = eye.xy - eye.z / ray.z * ray.xy;
    bool table = ray.z < 0.0 && all(greaterThan(top, boxes[0].xy)) && all(lessThan(top, boxes[1].xy));
    vec3 leave = (vec3(sign(ray.xy) * room.x, ray.z > 0.0 ? room.z : room.y) - eye) / ray;
    float far = min(leave.x, min(leave.y, leave.z));
    vec3 facing = -sign(ray) * step(leave.xyz, leave.yzx) * step(leave.xyz, leave.zxy);
    t = table ? -eye.z / ray.z : far;
    n = table ? vec3(0.0, 0.0, 1.0) : facing;
    vec3 p = eye + far * ray;
    vec2 lit = mix(p.xy, lamp.xy, p.z / (p.z - lamp.z));
    bool clear = p.z > 1e-3 || p.z < -1e-3 && beyond(top, p.xy) && beyond(lit, p.xy);
    return eye.z <= 0.0 ? 0 : table ? 7 : clear ? int(dot(facing, vec3(1.0, 2.0, 3.0))) : 0;
}

int side_at(vec2 at) {
    float t;
    vec3 n;
    return side(turned * vec3((at - 0.5 * size) / focal, -1.0), t, n);
}

// Whether all of a pixel shows one of these sides.
bool even(vec2 pixel) {
    int a = side_at(pixel), b = side_at(pixel + vec2(1, 0)), c = side_at(pixel + vec2(0, 1)), d = side_at(pixel + 1.0);
    return a != 0 && a == b && b == c && c == d;
}
#endif

void main() {
    vec3 total = vec3(0.0);
    float by_lamp = 0.0;
    float brightness = 1e-6;
    vec2 place = vec2(0.0);
    float best = -1.0;
    vec2 pixel = floor(gl_FragCoord.xy);
#if EVEN
    if (!even(pixel)) discard;
#endif
    int count = samples * samples, i = 0;
    // Where many pixels are worked on at once, a loop that asks first goes round once more.
    do {
        vec2 sub = (vec2(i % samples, i / samples) + 0.5) / float(samples);
        vec2 at = pixel + sub - 0.5 * size;
        vec3 ray = turned * vec3(at / focal, -1.0);
        float t;
        vec3 n;
#if EVEN
        int what = side(ray, t, n) == 7 ? 0 : -1;
#else
        int what = hit(ray, t, n);
#endif
        vec3 p = eye + t * ray;
        vec3 albedo;
        int kind;
        vec2 along = p.xy;
        float width = 0.19;
        if (what == 0) {
            albedo = to_linear(box_colors[0]);
            kind = surfaces.x;
            along = n.z > 0.5 ? p.yx : p.xy + p.z;
            width = 0.15;
        } else if (what > 0) {
            albedo = to_linear(box_colors[what]);
            kind = 0;
        } else if (n.z > 0.5) {
            albedo = to_linear(ground);
            kind = surfaces.y;
        } else if (n.z < -0.5) {
            albedo = vec3(0.86);
            kind = 0;
        } else {
            albedo = to_linear(walls[n.x < -0.5 ? 0 : n.y < -0.5 ? 1 : n.x > 0.5 ? 2 : 3]);
            kind = surfaces.z;
            along = vec2(abs(n.x) > 0.5 ? p.y : p.x, p.z);
            width = 1e3;
        }
#if TEXTURED
        albedo *= surface(kind, along, width, t / focal);
#endif
        float free = 1.0, open = 1.0;
#if EVEN
        vec3 to_lamp = lamp - p;
#else
        // A lamp of some size: every sample sees another place of it.
        float turn = 2.399963 * float(i);
        float radius = lamp_radius * sqrt((float(i) + 0.5) / float(count));
        vec3 aim = lamp + radius * vec3(cos(turn), sin(turn), 0.0);
        vec3 to_lamp = aim - p;
        vec3 back = 1.0 / (to_lamp + vec3(equal(to_lamp, vec3(0.0))) * 1e-9);
        // All boxes are below the table's top, and the lamp above.
        for (int k = 0; k < (p.z < -1e-4 ? BOXES : 0); k++) {
            float near;
            vec3 normal;
            if (k != what && box(p + 1e-3 * n, back, k, 1.0, near, normal)) free = 0.0;
        }
#endif
        open -= under_table(p, n, what != 0 && p.z < -0.02 ? 4 : 0);
        // Weaker away from the work area, as from a shade, so that walls do not glare.
        vec3 down = normalize(lamp - vec3(0.5, 0.0, 0.0));
        float shade = smoothstep(0.25, 0.75, dot(normalize(to_lamp), down));
        float direct = LAMP * free * shade * max(dot(n, normalize(to_lamp)), 0.0);
        vec3 edge = vec3(room.x) - abs(p);
        float corner = 1.0;
        if (what < 0) {
            float a = min(abs(n.x) > 0.5 ? 9.0 : edge.x, abs(n.y) > 0.5 ? 9.0 : edge.y);
            float b = abs(n.z) > 0.5 ? 9.0 : min(p.z - room.y, room.z - p.z);
            corner = 1.0 - 0.28 * exp(-2.2 * a) - 0.28 * exp(-2.2 * b);
        }
        float up = 0.5 + 0.5 * n.z;
        float around = ROOM * (what < 0 && abs(n.z) < 0.5 ? 0.95 : mix(0.45, 1.0, up)) * open * corner;
        vec3 sum = albedo * (direct + around);
        total += to_srgb(sum);
        float luminance = dot(albedo, vec3(0.2126, 0.7152, 0.0722));
        brightness += luminance * (direct + around);
        by_lamp += luminance * direct;
        if (luminance * direct > best) {
            // Of several surfaces in a pixel, the one counts that the lamp lights most.
            best = luminance * direct;
            // Where in the picture of all shadows: on the left the table from above, on the right what the lamp sees.
            vec4 h = light * vec4(p, 1.0);
            vec2 top = (p.xy - boxes[0].xy) / (boxes[1].xy - boxes[0].xy);
            place = what == 0 && n.z > 0.5 ? top : h.xy / h.w * 0.5 + 0.5;
            place = clamp(place, INSET, 1.0 - INSET) * vec2(0.5, 1.0);
            if (what != 0 || n.z < 0.5) place.x += 0.5;
        }
    } while (++i < count);
    seen = vec4(total / float(count), by_lamp / brightness);
    lookup = place;
}
