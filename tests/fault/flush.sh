#!/bin/sh
# The flusher, killed and failing at its system calls.
exec "$FAULT" kill-flush errors-flush
