#!/bin/sh
# Stands in for the unit tests where configure did not find Check.
echo "1..0 # SKIP no unit tests were built: Check (libcheck) is missing, see packaging/packages"
