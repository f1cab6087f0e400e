#!/bin/sh
# The command and its helper, killed and failing at their system calls: nothing that was
# acknowledged is lost. FAULT_LONG=yes (make check-fault): at all of them.
exec "$FAULT" sync-submit kill-submit errors-submit
