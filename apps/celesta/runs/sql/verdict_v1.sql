-- The verdict of a gate from its counts; the twin of celesta.graph.gates.verdict (a test compares them).
-- Negative verdicts wait for every upstream and failure outranks skip, so that the result does not
-- depend on the order of completion; only any_success and any_failed fire early.
CREATE FUNCTION celesta_verdict_v1(rule text, total int, succeeded int, failed int, skipped int)
RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE
    WHEN rule = 'any_success' AND succeeded > 0 THEN 'run'
    WHEN rule = 'any_failed' AND failed > 0 THEN 'run'
    WHEN succeeded + failed + skipped < total THEN 'wait'
    WHEN rule = 'all_done' THEN 'run'
    WHEN rule = 'none_skipped' THEN CASE WHEN skipped > 0 THEN 'skip' ELSE 'run' END
    WHEN rule = 'any_failed' THEN 'skip'
    WHEN failed > 0 THEN 'fail'
    WHEN rule = 'any_success' THEN 'skip'
    WHEN rule = 'none_failed' THEN 'run'
    WHEN skipped > 0 THEN 'skip'
    ELSE 'run'
  END
$$;
