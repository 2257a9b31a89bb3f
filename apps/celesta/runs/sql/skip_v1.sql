-- Skip a node that is ready or waits: its consequences are those of any skipped node, and results that
-- come later are refused. Of a map that waits for its items, those that have not ended are cancelled.
-- `state_before` tells what it was; nothing is done unless that is ready or waiting in a run that is open.
-- Locks: run, the waves it is in (as claims do), timers, node run, hints; then as settle does.
CREATE FUNCTION celesta_skip_v1(
  p_run uuid, p_scope int, p_node int, p_by text, p_reason text,
  OUT run_before text, OUT state_before text, OUT sent jsonb
) LANGUAGE plpgsql AS $$
DECLARE
  v_at timestamptz := clock_timestamp();
  v_version bigint;
  v_attempt int;
BEGIN
  sent := '[]';
  SELECT r.state, r.version_id INTO run_before, v_version FROM celesta_run r WHERE r.id = p_run FOR KEY SHARE;
  IF NOT FOUND OR run_before NOT IN ('pending', 'running', 'paused') THEN RETURN; END IF;
  PERFORM 1 FROM celesta_wave w
  WHERE w.run_id = p_run AND (w.node IS NULL AND w.scope = p_scope AND p_node = ANY (w.nodes)
    OR w.node = p_node AND p_scope >= w.scope AND p_scope < w.scope + w.total)
  ORDER BY w.id FOR UPDATE;
  PERFORM 1 FROM celesta_timer t
  WHERE t.run_id = p_run AND t.scope = p_scope AND t.node = p_node ORDER BY t.id FOR UPDATE;
  SELECT n.state, n.attempt INTO state_before, v_attempt FROM celesta_node_run n
  WHERE n.run_id = p_run AND n.scope = p_scope AND n.node = p_node FOR UPDATE;
  IF NOT FOUND OR state_before NOT IN ('ready', 'waiting') THEN RETURN; END IF;
  IF p_scope > 0 THEN
    -- While its map is still being written, an item waits for that; a lost map is written anew.
    PERFORM 1 FROM celesta_expansion e WHERE e.run_id = p_run AND e.created < e.total
      AND p_scope >= e.first_scope AND p_scope < e.first_scope + e.total FOR UPDATE;
    IF FOUND THEN state_before := 'pending'; RETURN; END IF;
  END IF;
  UPDATE celesta_node_run n SET state = 'skipped', finished_at = v_at
  WHERE n.run_id = p_run AND n.scope = p_scope AND n.node = p_node;
  DELETE FROM celesta_timer t WHERE t.run_id = p_run AND t.scope = p_scope AND t.node = p_node;
  DELETE FROM celesta_hint h WHERE h.run_id = p_run AND h.scope = p_scope AND h.node = p_node;
  INSERT INTO celesta_event (run_id, at, kind, scope, node, attempt, data)
  VALUES (p_run, v_at, 'skipped', p_scope, p_node, v_attempt,
    jsonb_build_object('by', p_by, 'reason', p_reason));
  IF state_before = 'waiting' THEN
    PERFORM celesta_drop_unreleased_v1(p_run, ARRAY[p_scope], ARRAY[p_node]);
    PERFORM celesta_drop_items_v1(p_run, p_scope, p_node, v_at);
  END IF;
  SELECT t.sent INTO sent FROM celesta_settle_v1(p_run, v_version, v_at, ARRAY[p_scope], ARRAY[p_node],
    ARRAY['skipped'], NULL, NULL, '{}', 0) t;
  sent := sent || celesta_items_left_v1(p_run, v_at, ARRAY[p_scope]);
END $$;

-- Cancel what is open of the items of a map that waits for them no more.
CREATE FUNCTION celesta_drop_items_v1(p_run uuid, p_scope int, p_node int, p_at timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  e celesta_expansion;
BEGIN
  SELECT * INTO e FROM celesta_expansion t
  WHERE t.run_id = p_run AND t.scope = p_scope AND t.node = p_node;
  IF NOT FOUND THEN RETURN; END IF;
  WITH over AS (
    DELETE FROM celesta_wave w WHERE w.run_id = p_run AND w.scope = e.first_scope AND w.node = e.body
    RETURNING w.id)
  DELETE FROM celesta_hint h USING over WHERE h.run_id = p_run AND h.wave = over.id;
  DELETE FROM celesta_timer t
  WHERE t.run_id = p_run AND t.scope >= e.first_scope AND t.scope < e.first_scope + e.total;
  WITH open AS (
    SELECT n.scope, n.node FROM celesta_node_run n
    WHERE n.run_id = p_run AND n.scope >= e.first_scope AND n.scope < e.first_scope + e.total
      AND n.state IN ('ready', 'running', 'waiting')
    ORDER BY n.scope, n.node FOR UPDATE
  ), hit AS (
    UPDATE celesta_node_run n SET state = 'cancelled', finished_at = p_at, token = NULL
    FROM open o WHERE n.run_id = p_run AND n.scope = o.scope AND n.node = o.node
    RETURNING n.scope, n.node, n.attempt
  )
  INSERT INTO celesta_event (run_id, at, kind, scope, node, attempt)
  SELECT p_run, p_at, 'cancelled', scope, node, attempt FROM hit ORDER BY scope, node;
END $$;

ALTER FUNCTION celesta_skip_v1 SET enable_seqscan = off SET enable_hashjoin = off
  SET enable_mergejoin = off SET jit = off SET plan_cache_mode = force_generic_plan;
