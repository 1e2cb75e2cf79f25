# For scripts that make an environment of Python 3.12; reads PYTHON.

die() { printf 'Error: %s\n' "$*" >&2; exit 1; }
is_312() { "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 12))' 2>/dev/null; }

# Makes the environment $1, unless it is there; $2 is what needs Python 3.12, $3 the target of make.
make_312() {
  local name python=
  for name in ${PYTHON:-python3.12 "$HOME"/.pyenv/versions/3.12.*/bin/python python3}; do
    if is_312 "$name"; then
      python=$name
      break
    fi
  done
  [ -n "$python" ] || die "$2 needs Python 3.12 with venv; install it, or name it: make $3 PYTHON=/path/to/python3.12"
  is_312 "$1/bin/python" || "$python" -m venv --clear "$1"
}
