#!/bin/sh
# install.sh VENV LOCK: make the virtual environment if it is not there, install exactly what the
# lock file says, then payoff itself. Plain sh and the standard library, for a bare machine.
set -eu

venv=$1
lock=$2

say() { printf 'setup: %s\n' "$*" >&2; }

# Prints the first interpreter that is new enough and can make a virtual environment. A name on
# PATH proves nothing (it may be a launcher for a version that is not there), so each one is run.
find_python() {
    too_bare=
    for name in ${PAYOFF_PYTHON:-python3.13 python3.12 python3.11 python3 python}; do
        "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue
        if "$name" -c 'import ensurepip, venv' >/dev/null 2>&1; then
            printf '%s\n' "$name"
            return
        fi
        too_bare=${too_bare:-$name}
    done
    if [ -n "$too_bare" ]; then
        version=$("$too_bare" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        say "$too_bare is new enough, but it cannot make a virtual environment (no ensurepip)."
        say "On Debian or Ubuntu: apt-get install python3-venv python$version-venv"
    elif [ -n "${PAYOFF_PYTHON:-}" ]; then
        say "PAYOFF_PYTHON is '$PAYOFF_PYTHON', which is not a Python of version 3.11 or later."
    else
        say "found no Python of version 3.11 or later among python3.13, python3.12, python3.11,"
        say "python3 and python. Install one, or name yours: PAYOFF_PYTHON=/path/to/python make"
    fi
    return 1
}

if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    python=$(find_python)
    say "making $venv with $("$python" --version)"
    rm -rf "$venv"
    "$python" -m venv "$venv"
fi

pip() { PIP_USER=0 "$venv/bin/python" -m pip --disable-pip-version-check --no-input "$@"; }

say "installing $(grep -c '^[a-z0-9].*==' "$lock") locked packages from $lock"
pip install --quiet --retries 5 --require-hashes -r "$lock" || {
    say "the package index did not serve what $lock asks for (see above). Once it can be reached,"
    say "run the same command again; it goes on from here."
    exit 1
}
# hatchling and editables are in the lock, so building payoff downloads nothing more.
pip install --quiet --no-deps --no-build-isolation -e .

# LightGBM's Linux wheel expects the system's OpenMP library. Where there is none, scikit-learn's
# own copy serves; the Makefile puts this folder on the loader's path.
if ! why=$("$venv/bin/python" -c 'import lightgbm' 2>&1); then
    case $why in
    *libgomp.so.1*) ;;
    *) printf '%s\n' "$why" >&2; say "LightGBM does not load (see above)."; exit 1 ;;
    esac
    rm -rf "$venv/lib/openmp"
    mkdir -p "$venv/lib/openmp"
    for copy in "$PWD/$venv"/lib/python3*/site-packages/scikit_learn.libs/libgomp*.so*; do
        ln -sf "$copy" "$venv/lib/openmp/libgomp.so.1"
    done
    LD_LIBRARY_PATH=$PWD/$venv/lib/openmp "$venv/bin/python" -c 'import lightgbm' || {
        say "LightGBM needs the system library libgomp.so.1."
        say "On Debian or Ubuntu: apt-get install libgomp1"
        exit 1
    }
    say "this machine has no libgomp.so.1; make uses the copy that came with scikit-learn."
    say "To run $venv/bin/payoff outside make, install it (Debian, Ubuntu: apt-get install libgomp1)."
fi
