#!/bin/sh
# Prints the configuration file of the package: every key of config/default.toml, with its comment, but commented out.
# So an upgrade brings new defaults to all who did not change them.
set -eu
cd "$(dirname "$0")/../.."

echo "# /etc/backlinkd/config.toml: remove the # before a key to change it, then: systemctl restart backlinkd"
echo "#"
sed -E 's/^([a-z0-9_]+ = )/#\1/' config/default.toml
