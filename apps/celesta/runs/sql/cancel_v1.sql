-- First half of a cancellation: the run's state alone, committed before any node is touched. It does not
-- wait for the claims and completions under way (a run that many slots work on is never free of them, and
-- the wait has no end); it is as if they had come before. Those that come later see the new state.
CREATE FUNCTION celesta_cancel_v1(p_run uuid, p_by text, p_reason jsonb, OUT state_before text)
LANGUAGE plpgsql AS $$
DECLARE
  v_at timestamptz := clock_timestamp();
BEGIN
  SELECT r.state INTO state_before FROM celesta_run r WHERE r.id = p_run FOR NO KEY UPDATE;
  IF state_before IS NULL OR state_before NOT IN ('pending', 'running', 'paused') THEN RETURN; END IF;
  UPDATE celesta_run r SET state = 'cancelling', error = p_reason WHERE r.id = p_run;
  INSERT INTO celesta_event (run_id, at, kind, data)
  VALUES (p_run, v_at, 'run_cancelling', p_reason || jsonb_build_object('by', p_by));
END $$;

-- Second half: cancel nodes in id order, p_limit a call, until a call finds none; then the run is over.
-- Whatever a call that began before the cancellation still writes is written under the lock of an open
-- node, so a call that finds none has waited for all of them. A run past its deadline ends as failed, any
-- other as cancelled. Anyone may go on with it.
CREATE FUNCTION celesta_sweep_v1(p_run uuid, p_limit int) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_at timestamptz := clock_timestamp();
  v_error jsonb;
  v_after text;
  n_swept int;
BEGIN
  SELECT r.error INTO v_error FROM celesta_run r
  WHERE r.id = p_run AND r.state = 'cancelling' FOR KEY SHARE;
  IF NOT FOUND THEN RETURN true; END IF;
  WITH open AS (
    SELECT n.run_id, n.scope, n.node FROM celesta_node_run n
    WHERE n.run_id = p_run AND n.state IN ('pending', 'ready', 'running', 'waiting')
    ORDER BY n.scope, n.node LIMIT p_limit FOR UPDATE
  ), hit AS (
    UPDATE celesta_node_run n SET state = 'cancelled', finished_at = v_at, token = NULL
    FROM open o WHERE n.run_id = o.run_id AND n.scope = o.scope AND n.node = o.node
    RETURNING n.scope, n.node, n.attempt
  ), told AS (
    INSERT INTO celesta_event (run_id, at, kind, scope, node, attempt)
    SELECT p_run, v_at, 'cancelled', scope, node, attempt FROM hit ORDER BY scope, node
  )
  SELECT count(*) INTO n_swept FROM hit;
  IF n_swept > 0 THEN RETURN false; END IF;
  v_after := CASE WHEN v_error ->> 'code' = 'run_timeout' THEN 'failed' ELSE 'cancelled' END;
  UPDATE celesta_run r SET state = v_after, finished_at = v_at
  WHERE r.id = p_run AND r.state = 'cancelling';
  IF FOUND THEN
    DELETE FROM celesta_timer t WHERE t.run_id = p_run;
    DELETE FROM celesta_wave w WHERE w.run_id = p_run;
    DELETE FROM celesta_hint h WHERE h.run_id = p_run;
    INSERT INTO celesta_event (run_id, at, kind, data) VALUES (p_run, v_at, 'run_' || v_after, v_error);
  END IF;
  RETURN true;
END $$;
