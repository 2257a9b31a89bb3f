-- Fire the due timers of one run: retries become ready and travel, waits succeed, final timeouts fail.
-- Those of a paused run are held, so that nobody reads them again before it is resumed. Relies on the index
-- on timer.due_at having found them.
CREATE FUNCTION celesta_fire_v1(p_run uuid, p_timers bigint[], OUT fired int, OUT sent jsonb)
LANGUAGE plpgsql AS $$
DECLARE
  v_at timestamptz := clock_timestamp();
  v_state text;
  v_version bigint;
  v_scopes int[]; v_nodes int[]; v_states text[];
BEGIN
  fired := 0; sent := '[]';
  SELECT r.state, r.version_id INTO v_state, v_version FROM celesta_run r WHERE r.id = p_run FOR KEY SHARE;
  IF v_state = 'paused' THEN
    -- Under a lock for which a resumption waits: a timer held after it would never fire.
    SELECT r.state INTO v_state FROM celesta_run r WHERE r.id = p_run FOR SHARE;
    IF v_state = 'paused' THEN
      UPDATE celesta_timer t SET held = true WHERE t.id = ANY (p_timers) AND t.run_id = p_run AND NOT t.held;
      RETURN;
    END IF;
  END IF;
  IF v_state IS NULL OR v_state NOT IN ('pending', 'running') THEN
    DELETE FROM celesta_timer t WHERE t.run_id = p_run;
    RETURN;
  END IF;
  WITH due AS (
    DELETE FROM celesta_timer t WHERE t.id = ANY (p_timers) AND t.run_id = p_run AND t.kind <> 'deadline'
    RETURNING t.run_id, t.scope, t.node, t.attempt, t.kind, t.output
  ), hit AS (
    UPDATE celesta_node_run n
    SET state = CASE d.kind WHEN 'retry' THEN 'ready' WHEN 'finish' THEN 'succeeded' ELSE 'failed' END,
        ready_at = CASE d.kind WHEN 'retry' THEN v_at ELSE n.ready_at END,
        finished_at = CASE WHEN d.kind <> 'retry' THEN v_at END
    FROM due d
    WHERE n.run_id = d.run_id AND n.scope = d.scope AND n.node = d.node AND n.attempt = d.attempt
      AND n.state = 'waiting'
    RETURNING n.scope, n.node, n.attempt, n.state, d.output
  ), kept AS (
    INSERT INTO celesta_output (run_id, scope, node, value, error)
    SELECT p_run, scope, node, CASE state WHEN 'succeeded' THEN output END,
           CASE state WHEN 'failed' THEN output END
    FROM hit WHERE state <> 'ready' AND output IS NOT NULL
  ), told AS (
    INSERT INTO celesta_event (run_id, at, kind, scope, node, attempt, data)
    SELECT p_run, v_at, state, scope, node, attempt, CASE state WHEN 'failed' THEN output END
    FROM hit WHERE state <> 'ready'
  )
  SELECT count(*), coalesce(array_agg(scope) FILTER (WHERE state <> 'ready'), '{}'),
         coalesce(array_agg(node) FILTER (WHERE state <> 'ready'), '{}'),
         coalesce(array_agg(state) FILTER (WHERE state <> 'ready'), '{}'),
         celesta_travel_all_v1(p_run, v_version, v_at,
           array_agg(scope) FILTER (WHERE state = 'ready'), array_agg(node) FILTER (WHERE state = 'ready'))
  INTO fired, v_scopes, v_nodes, v_states, sent FROM hit;
  IF cardinality(v_nodes) > 0 THEN
    SELECT celesta_fire_v1.sent || t.sent INTO sent FROM celesta_settle_v1(
      p_run, v_version, v_at, v_scopes, v_nodes, v_states, NULL, NULL, '{}', 0) t;
    sent := sent || celesta_items_left_v1(p_run, v_at, v_scopes);
  END IF;
END $$;

-- As travel, for what may be no nodes at all.
CREATE FUNCTION celesta_travel_all_v1(
  p_run uuid, p_version bigint, p_at timestamptz, p_scopes int[], p_nodes int[]
) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
  IF p_nodes IS NULL THEN RETURN '[]'; END IF;
  RETURN celesta_travel_v1(p_run, p_version, p_at, p_scopes, p_nodes);
END $$;
