-- Take the result of a node that waits for somebody else (a Celery task of another worker): it ends, or,
-- with a delay, waits for its retry. Refused when the node no longer waits under that attempt.
CREATE FUNCTION celesta_report_v1(
  p_run uuid, p_scope int, p_node int, p_attempt int, p_state text, p_output text, p_error text,
  p_delay float8, OUT accepted boolean, OUT sent jsonb
) LANGUAGE plpgsql AS $$
DECLARE
  v_at timestamptz := clock_timestamp();
  v_state text;
  v_version bigint;
BEGIN
  accepted := false; sent := '[]';
  SELECT r.state, r.version_id INTO v_state, v_version FROM celesta_run r WHERE r.id = p_run FOR KEY SHARE;
  IF NOT FOUND THEN RETURN; END IF;
  IF v_state IN ('pending', 'running', 'paused') THEN
    -- The timer first, as the function that fires it does.
    DELETE FROM celesta_timer t
    WHERE t.run_id = p_run AND t.scope = p_scope AND t.node = p_node AND t.attempt = p_attempt;
    UPDATE celesta_node_run n
    SET state = p_state, finished_at = CASE WHEN p_state <> 'waiting' THEN v_at END
    WHERE n.run_id = p_run AND n.scope = p_scope AND n.node = p_node AND n.attempt = p_attempt
      AND n.state = 'waiting';
    accepted := FOUND;
  END IF;
  IF NOT accepted THEN
    PERFORM celesta_refuse_v1(p_run, v_at, ARRAY[p_scope], ARRAY[p_node], ARRAY[p_attempt], ARRAY[p_state]);
    RETURN;
  END IF;
  -- And again: another report of this attempt may have set one while this call waited for the node.
  DELETE FROM celesta_timer t WHERE t.run_id = p_run AND t.scope = p_scope AND t.node = p_node;
  INSERT INTO celesta_event (run_id, at, kind, scope, node, attempt, data)
  VALUES (p_run, v_at, p_state, p_scope, p_node, p_attempt, p_error::jsonb);
  IF p_state = 'waiting' THEN
    INSERT INTO celesta_timer (run_id, scope, node, attempt, kind, due_at)
    VALUES (p_run, p_scope, p_node, p_attempt, 'retry', v_at + make_interval(secs => p_delay));
    sent := celesta_items_left_v1(p_run, v_at, ARRAY[p_scope]);
    RETURN;
  END IF;
  IF p_output IS NOT NULL OR p_error IS NOT NULL THEN
    INSERT INTO celesta_output (run_id, scope, node, value, error)
    VALUES (p_run, p_scope, p_node, p_output::jsonb, p_error::jsonb);
  END IF;
  SELECT t.sent INTO sent FROM celesta_settle_v1(p_run, v_version, v_at, ARRAY[p_scope], ARRAY[p_node],
    ARRAY[p_state], NULL, NULL, '{}', 0) t;
  sent := sent || celesta_items_left_v1(p_run, v_at, ARRAY[p_scope]);
END $$;
