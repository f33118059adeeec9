# Reads busted's plainTerminal summary and its exit status: prints "PASSED FAILED". No summary means that busted died.
/^[0-9]+ success(es)? \/ [0-9]+ failures? \/ [0-9]+ errors? \/ [0-9]+ pending : / {
  passed = $1; failed = $4 + $7; pending = $10; summary = 1
}
END {
  if (!summary || (failed == 0 && status != 0)) failed++
  print passed + 0, failed + 0
}
