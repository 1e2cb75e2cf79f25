flat in vec4 color;
out vec4 label;

void main() {
    label = color;
}
