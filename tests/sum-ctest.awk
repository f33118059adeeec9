# Adds up a log of `ctest --verbose`: prints "PASSED FAILED". A test program says itself how many of its checks passed; one
# that says nothing counts as one, and one that died counts as a failure whatever it had said before.
/^[0-9]+: [0-9]+ passed, [0-9]+ failed$/ {
  id = $1; sub(":", "", id)
  said[id] = 1; said_passed[id] += $2; said_failed[id] += $4
}
/^ *[0-9]+\/[0-9]+ Test +#[0-9]+: / {
  id = $0; sub(/^[^#]*#/, "", id); sub(/:.*/, "", id)
  ran = 1
  if ($0 ~ / Passed +[0-9.]+ sec/) {
    passed += id in said ? said_passed[id] : 1
    failed += said_failed[id]
  } else {
    passed += said_passed[id]
    failed += said_failed[id] > 0 ? said_failed[id] : 1
  }
}
/^No tests were found/ { ran = 1 }
END { if (!ran) failed = 1; print passed + 0, failed + 0 }
