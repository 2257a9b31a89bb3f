-- Go on where nothing else follows: end the run when its last node (the compiled `end`) is among the given
-- ones. A run fails when `end` failed, some node failed whose failure no child accepts, or a last resort
-- never ran. Before it does, what had succeeded is undone: the compensations run one after another, the one of
-- the node that ended last first; the end of each brings us here again. One that fails does not stop the
-- others, and is told in the run's error. An ended run leaves no hint, wave or timer behind.
CREATE FUNCTION celesta_end_run_v1(
  p_run uuid, p_version bigint, p_at timestamptz, p_nodes int[], OUT ended boolean, OUT sent jsonb
) LANGUAGE plpgsql AS $$
DECLARE
  last_node int;
  undo int;
  after text;
  problem jsonb;
  left_undone jsonb;
  scopes int;
BEGIN
  ended := false; sent := '[]';
  SELECT node INTO last_node FROM celesta_plan_node
  WHERE version_id = p_version ORDER BY node DESC LIMIT 1;
  IF NOT last_node = ANY (p_nodes) THEN
    PERFORM 1 FROM unnest(p_nodes) AS k(node) CROSS JOIN LATERAL (
      SELECT t.compensates FROM celesta_plan_node t
      WHERE t.version_id = p_version AND t.node = k.node LIMIT 1) p
    WHERE p.compensates >= 0;
    IF NOT FOUND THEN RETURN; END IF;
  END IF;
  SELECT jsonb_build_object('code', 'node_failed', 'node', p.name, 'message',
           CASE n.state WHEN 'failed'
           THEN format('node %s failed: %s', p.name, coalesce(o.error ->> 'message', 'unknown error'))
           ELSE format('node %s never ran: everything it waited for failed', p.name) END)
  INTO problem
  FROM celesta_node_run n
  JOIN celesta_plan_node p ON p.version_id = p_version AND p.node = n.node
  LEFT JOIN celesta_output o ON o.run_id = p_run AND o.scope = 0 AND o.node = n.node
  WHERE n.run_id = p_run AND n.scope = 0 AND p.compensates < 0
    AND (n.state = 'failed' AND NOT p.handled OR n.state = 'upstream_failed' AND p.last_resort)
  ORDER BY n.finished_at, n.node LIMIT 1;
  IF problem IS NOT NULL THEN
    SELECT p.node INTO undo FROM celesta_plan_node p
    JOIN celesta_node_run n ON n.run_id = p_run AND n.scope = 0 AND n.node = p.compensates
    WHERE p.version_id = p_version AND p.compensates >= 0 AND n.state = 'succeeded'
      AND NOT EXISTS (SELECT 1 FROM celesta_node_run u
                      WHERE u.run_id = p_run AND u.scope = 0 AND u.node = p.node)
    ORDER BY n.finished_at DESC, n.node DESC LIMIT 1;
    IF FOUND THEN
      INSERT INTO celesta_node_run (run_id, scope, node, state, attempt, losses, ready_at)
      VALUES (p_run, 0, undo, 'ready', 0, 0, p_at);
      sent := celesta_travel_v1(p_run, p_version, p_at, ARRAY[0], ARRAY[undo]);
      RETURN;
    END IF;
    SELECT jsonb_agg(p.name ORDER BY n.finished_at, n.node) INTO left_undone
    FROM celesta_plan_node p
    JOIN celesta_node_run n ON n.run_id = p_run AND n.scope = 0 AND n.node = p.node
    WHERE p.version_id = p_version AND p.compensates >= 0 AND n.state <> 'succeeded';
    IF left_undone IS NOT NULL THEN
      problem := problem || jsonb_build_object('compensations_failed', left_undone);
    END IF;
  END IF;
  after := CASE WHEN problem IS NULL THEN 'succeeded' ELSE 'failed' END;
  UPDATE celesta_run r
  SET state = after, finished_at = p_at, error = problem,
      started_at = coalesce(r.started_at, p_at),
      output = (SELECT o.value FROM celesta_output o
                WHERE o.run_id = p_run AND o.scope = 0 AND o.node = last_node)
  WHERE r.id = p_run AND r.state IN ('pending', 'running', 'paused')
  RETURNING r.next_scope INTO scopes;
  IF NOT FOUND THEN
    -- It was cancelled since this call read its state: undone, and made again, the call will see that.
    RAISE EXCEPTION 'run % is no longer open', p_run USING ERRCODE = 'serialization_failure';
  END IF;
  -- A map whose next attempt found nothing to expand leaves what a lost one had written.
  IF scopes > 1 THEN PERFORM celesta_drop_unreleased_v1(p_run, NULL, NULL); END IF;
  IF problem IS NOT NULL THEN PERFORM celesta_bury_v1(p_run, p_version, p_at); END IF;
  DELETE FROM celesta_timer WHERE run_id = p_run;
  DELETE FROM celesta_wave WHERE run_id = p_run;
  DELETE FROM celesta_hint WHERE run_id = p_run;
  INSERT INTO celesta_event (run_id, at, kind, data) VALUES (p_run, p_at, 'run_' || after, problem);
  ended := true;
END $$;
