#!/usr/bin/env bash
# Lets sqlmap and wapiti loose on the real program, with the API key of a tenant's administrator.
#   tools/security/scan.sh           every parameter of the OpenAPI document, all modules: an hour or more
#   tools/security/scan.sh --short   the routes that take most from strangers: three minutes at most
# Ends with 1 when something was found, and says what; with 2 when a scanner is missing (apt-get install sqlmap wapiti).
set -euo pipefail
cd "$(dirname "$0")/../.."
for scanner in sqlmap wapiti; do
  command -v "$scanner" >/dev/null || { echo "$scanner is not installed: apt-get install sqlmap wapiti" >&2; exit 2; }
done
export PATH="$PWD/node_modules/.bin:$PATH"
npm run --silent build
exec node --enable-source-maps dist/test/support/scan-main.js "$@"
