#!/bin/sh
# The power goes, at every system call: as root, with loop devices and mkfs.ext4.
exec "$FAULT" power-submit power-flush power-batch power-full
