# shellcheck shell=bash
# What the scripts share: sentences, processes that end with the script, the tools in .venv.
# Each script sources this file, with the repository as the working directory.

say() { printf '%s\n' "$*"; }

fail() {
    printf '\n%s\n' "$*" >&2
    exit 1
}

# --- Processes: none outlives the script, however it ends.

groups=""
scratch=$(mktemp -d)

# Starts a command in a process group of its own, so that one signal reaches all its children.
# Leaves the id in $started.
launch() {
    set -m
    "$@" </dev/null &
    set +m
    started=$!
    groups="$started $groups" # the newest is the first to end
}

# Runs a command to its end. A signal to the script is handled at once.
run() {
    local status=0
    launch "$@"
    wait "$started" || status=$?
    kill -TERM -- "-$started" 2>/dev/null || true # what it may have left behind
    groups=${groups#* }                           # the system may give its number to another
    return "$status"
}

alive() { kill -0 -- "$1" 2>/dev/null; }

end_all() {
    local status=$? group patience=50
    trap '' INT TERM HUP
    for group in $groups; do kill -TERM -- "-$group" 2>/dev/null || true; done
    for group in $groups; do
        while alive "-$group" && [ "$patience" -gt 0 ]; do
            sleep 0.1
            patience=$((patience - 1))
        done
        kill -KILL -- "-$group" 2>/dev/null || true
    done
    rm -rf "$scratch"
    exit "$status"
}

trap end_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# --- Set-up: says what the machine lacks, and installs into .venv what can live there.

set_up() {
    command -v cargo >/dev/null || fail "Rust is missing: install it from https://rustup.rs, then open a new terminal."
    command -v cc >/dev/null || fail "A C compiler is missing: install one (Debian: apt install build-essential)."
    command -v curl >/dev/null || fail "curl is missing: install it (Debian: apt install curl)."
    command -v python3 >/dev/null || fail "Python 3 is missing: install it (Debian: apt install python3 python3-venv)."
    python3 -c 'import ensurepip, venv' 2>/dev/null ||
        fail "Python's venv is missing: install it (Debian: apt install python3-venv)."

    # The copy is made last, so it also shows that the installation was not interrupted.
    if ! cmp -s scripts/requirements.txt .venv/requirements.txt; then
        say "Installing cargo-lambda into .venv ..."
        run python3 -m venv --clear .venv || fail "Could not make .venv; the reason is above."
        run .venv/bin/python -m pip install --quiet --disable-pip-version-check -r scripts/requirements.txt ||
            fail "Could not install scripts/requirements.txt into .venv; the reason is above."
        cp scripts/requirements.txt .venv/
    fi
    export PATH="$PWD/.venv/bin:$PATH" # where cargo-lambda looks for zig, and SAM for cargo-lambda
}

# Installs a tool from crates.io into .venv, unless this version is there. Without optimisation: the tool runs for seconds, and
# an optimised build takes minutes.
cargo_tool() {
    if [ ! -x ".venv/bin/$1" ]; then say "Building $1 ..."; fi
    run cargo install --quiet --locked --debug --config profile.dev.debug=false --root .venv \
        --target-dir "${CARGO_TARGET_DIR:-target}/tools" "$1@$2" || fail "Could not install $1; the reason is above."
}

cargo_deny() { cargo_tool cargo-deny 0.20.2; }

# Installs the tools of one more list into .venv, for targets that need more than `make start`.
also_install() {
    if ! cmp -s "$1" ".venv/${1##*/}"; then
        .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
            fail "$(.venv/bin/python --version) is too old for the tools of $1: install Python 3.10 or newer, then make clean."
        say "Installing the tools of $1 into .venv ..."
        run .venv/bin/python -m pip install --quiet --disable-pip-version-check -r "$1" ||
            fail "Could not install $1 into .venv; the reason is above."
        cp "$1" .venv/
    fi
}

# --- SAM: your own, if there is one, else the one in .venv.

set_up_sam() {
    sam=$(command -v sam || true)
    set_up
    export SAM_CLI_TELEMETRY=0
    if [ -z "$sam" ]; then
        also_install scripts/requirements-sam.txt
        sam=.venv/bin/sam
    fi
}
