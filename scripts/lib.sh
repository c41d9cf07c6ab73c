# Shared by the scripts: the repository's root, a clear error, one line for each step.
# Sourced, not run.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

fail() {
    echo "error: $*" >&2
    exit 1
}

step() {
    echo "== $*" >&2
}

need() {
    command -v "$1" >/dev/null 2>&1 || fail "$1 is missing: $2"
}
