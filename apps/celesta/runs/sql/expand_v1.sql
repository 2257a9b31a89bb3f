-- Write one chunk of a map's items. The first chunk (p_offset = 0) opens the expansion and throws away
-- what a lost attempt left; the last one moves the map to `waiting` and releases its items as one wave.
-- Items are written before they can be claimed, so a crash between chunks leaves nothing half released.
CREATE FUNCTION celesta_expand_v1(
  p_slot bigint, p_token bigint, p_seq int, p_run uuid, p_scope int, p_node int, p_attempt int,
  p_offset int, p_total int, p_items text[], p_tolerate int, p_max_parallel int,
  p_rest_scopes int[], p_rest_nodes int[], p_lease float8,
  OUT answer text, OUT sent jsonb
) LANGUAGE plpgsql AS $$
DECLARE
  v_at timestamptz := clock_timestamp();
  v_state text;
  v_version bigint;
  v_body celesta_plan_node;
  v_first int;
  v_count int := cardinality(p_items);
  v_wave bigint;
  v_hints bigint[];
BEGIN
  sent := '[]'; answer := 'going';
  SELECT r.state, r.version_id INTO v_state, v_version
  FROM celesta_run r, celesta_slot s WHERE r.id = p_run AND s.id = p_slot AND s.token = p_token
  FOR KEY SHARE OF r FOR UPDATE OF s;
  IF NOT FOUND THEN
    answer := 'no_slot';
  ELSIF v_state NOT IN ('pending', 'running', 'paused') THEN
    answer := 'run_over';
  END IF;
  IF answer <> 'going' THEN
    PERFORM celesta_refuse_v1(p_run, v_at, ARRAY[p_scope], ARRAY[p_node], ARRAY[p_attempt], ARRAY['waiting']);
    RETURN;
  END IF;
  PERFORM 1 FROM celesta_node_run n WHERE n.run_id = p_run AND n.scope = p_scope AND n.node = p_node
    AND n.state = 'running' AND n.attempt = p_attempt AND n.token = p_token FOR UPDATE;
  IF NOT FOUND THEN
    PERFORM celesta_refuse_v1(p_run, v_at, ARRAY[p_scope], ARRAY[p_node], ARRAY[p_attempt], ARRAY['waiting']);
    answer := 'refused'; RETURN;
  END IF;
  SELECT b.* INTO v_body FROM celesta_plan_node m
  JOIN celesta_plan_node b ON b.version_id = m.version_id AND b.node = m.body
  WHERE m.version_id = v_version AND m.node = p_node;
  IF p_offset = 0 THEN
    PERFORM celesta_drop_expansion_v1(p_run, p_scope, p_node);
    UPDATE celesta_run r SET next_scope = r.next_scope + p_total WHERE r.id = p_run
    RETURNING r.next_scope - p_total INTO v_first;
    INSERT INTO celesta_expansion (run_id, first_scope, scope, node, body, total, created, done, failed,
      tolerate, max_parallel)
    VALUES (p_run, v_first, p_scope, p_node, v_body.node, p_total, 0, 0, 0, p_tolerate, p_max_parallel);
  END IF;
  UPDATE celesta_expansion e SET created = p_offset + v_count
  WHERE e.run_id = p_run AND e.scope = p_scope AND e.node = p_node RETURNING e.first_scope INTO v_first;
  INSERT INTO celesta_item (run_id, scope, value)
  SELECT p_run, v_first + p_offset + i.n::int - 1, i.value::jsonb
  FROM unnest(p_items) WITH ORDINALITY AS i(value, n);
  INSERT INTO celesta_node_run (run_id, scope, node, state, attempt, losses, ready_at)
  SELECT p_run, s, v_body.node, 'ready', 0, 0, v_at
  FROM generate_series(v_first + p_offset, v_first + p_offset + v_count - 1) AS s;
  UPDATE celesta_slot s SET seq = p_seq, lease_until = v_at + make_interval(secs => p_lease)
  WHERE s.id = p_slot;
  IF p_offset + v_count < p_total THEN RETURN; END IF;

  UPDATE celesta_node_run n SET state = 'waiting', token = NULL
  WHERE n.run_id = p_run AND n.scope = p_scope AND n.node = p_node;
  INSERT INTO celesta_event (run_id, at, kind, scope, node, attempt, data)
  VALUES (p_run, v_at, 'waiting', p_scope, p_node, p_attempt,
    jsonb_build_object('items', p_total, 'first_scope', v_first));
  INSERT INTO celesta_wave (run_id, scope, node, total, cursor, queue, priority)
  VALUES (p_run, v_first, v_body.node, p_total, 0, v_body.queue, v_body.priority)
  RETURNING id INTO v_wave;
  v_hints := celesta_open_lanes_v1(p_run, v_wave,
    least(celesta_lanes_v1(v_body.queue, p_total), coalesce(p_max_parallel, p_total)),
    v_body.queue, v_body.priority, v_at);
  INSERT INTO celesta_event (run_id, at, kind, scope, data)
  VALUES (p_run, v_at, 'ready', v_first, jsonb_build_object('node', v_body.node, 'items', p_total));
  UPDATE celesta_slot s SET scopes = p_rest_scopes, nodes = p_rest_nodes WHERE s.id = p_slot;
  sent := jsonb_build_array(jsonb_build_object(
    'hints', to_jsonb(v_hints), 'scope', v_first, 'nodes', jsonb_build_array(v_body.node),
    'wave', v_wave, 'queue', v_body.queue, 'priority', v_body.priority));
END $$;

-- Remove an expansion that was never released (its map was lost while writing it).
CREATE FUNCTION celesta_drop_expansion_v1(p_run uuid, p_scope int, p_node int)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  e celesta_expansion;
BEGIN
  DELETE FROM celesta_expansion t WHERE t.run_id = p_run AND t.scope = p_scope AND t.node = p_node
  RETURNING * INTO e;
  IF NOT FOUND THEN RETURN; END IF;
  DELETE FROM celesta_item i WHERE i.run_id = p_run
    AND i.scope >= e.first_scope AND i.scope < e.first_scope + e.total;
  DELETE FROM celesta_node_run n WHERE n.run_id = p_run
    AND n.scope >= e.first_scope AND n.scope < e.first_scope + e.total;
END $$;
