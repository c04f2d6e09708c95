# shellcheck shell=sh
# Document 3, "Isolated node": a namespace that ends with its process, and one with a name, which stays.

unshare --net true
ip netns add vns1
