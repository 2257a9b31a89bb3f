-- Claim the next members of a wave for a slot (`ready -> running`). The wave's row lock makes lanes take
-- turns. Members are nodes of one scope, or the items of a map: those that came back (`nodes`, their
-- scopes) before those that the cursor has not reached. An item with losses is claimed alone, so that a
-- poison node does not condemn its batch mates. The lane that takes the last members deletes the hints of
-- lanes still travelling; the wave of a map stays until the map ends, since items may come back, and its
-- lane (wave_left) ends only when it holds none of them any more and has looked once more.
-- Locks are taken wave first, then hints, by every function.
CREATE FUNCTION celesta_next_v1(
  p_run uuid, p_wave bigint, p_take int, p_at timestamptz, p_slot bigint, p_token bigint, p_via text,
  OUT c_scopes int[], OUT c_nodes int[], OUT c_attempts int[], OUT c_losses int[],
  OUT wave_left boolean
) LANGUAGE plpgsql AS $$
DECLARE
  w celesta_wave;
  v_scopes int[];
  v_nodes int[];
  v_alone int;
  v_most int;
  v_full boolean := false;
  n int;
BEGIN
  c_scopes := '{}'; c_nodes := '{}'; c_attempts := '{}'; c_losses := '{}'; wave_left := false;
  SELECT * INTO w FROM celesta_wave WHERE id = p_wave FOR UPDATE;
  IF NOT FOUND THEN RETURN; END IF;
  n := least(p_take, w.total - w.cursor);
  IF w.node IS NULL THEN
    v_nodes := w.nodes[w.cursor + 1 : w.cursor + n];
    v_scopes := array_fill(w.scope, ARRAY[n]);
    w.cursor := w.cursor + n;
  ELSE
    SELECT e.max_parallel INTO v_most
    FROM celesta_expansion e WHERE e.run_id = p_run AND e.first_scope = w.scope;
    v_full := v_most IS NOT NULL AND v_most <= celesta_items_at_once_v1(w, p_slot);
    IF v_full THEN
      v_scopes := '{}';
    ELSIF cardinality(w.nodes) > 0 THEN
      SELECT min(k.ord) INTO v_alone
      FROM unnest(w.nodes[:p_take]) WITH ORDINALITY AS k(scope, ord)
      CROSS JOIN LATERAL (
        SELECT t.losses FROM celesta_node_run t
        WHERE t.run_id = p_run AND t.scope = k.scope AND t.node = w.node LIMIT 1) t
      WHERE t.losses > 0;
      n := CASE WHEN v_alone IS NULL THEN p_take ELSE greatest(1, v_alone - 1) END;
      v_scopes := w.nodes[:n];
      w.nodes := w.nodes[n + 1 :];
    ELSE
      v_scopes := ARRAY(SELECT generate_series(w.scope + w.cursor, w.scope + w.cursor + n - 1));
      w.cursor := w.cursor + n;
    END IF;
    v_nodes := array_fill(w.node, ARRAY[cardinality(v_scopes)]);
  END IF;
  IF cardinality(v_nodes) > 0 THEN
    WITH hit AS (
      UPDATE celesta_node_run n
      SET state = 'running', attempt = n.attempt + 1, token = p_token, slot = p_slot, via = p_via,
          started_at = p_at
      FROM unnest(v_scopes, v_nodes, array_fill(p_run, ARRAY[cardinality(v_nodes)]))
        AS m(scope, node, run)
      WHERE n.run_id = m.run AND n.scope = m.scope AND n.node = m.node AND n.state = 'ready'
      RETURNING n.scope, n.node, n.attempt, n.losses
    ), told AS (
      INSERT INTO celesta_event (run_id, at, kind, scope, node, attempt)
      SELECT p_run, p_at, 'running', hit.scope, hit.node, hit.attempt FROM hit ORDER BY 4, 5
    )
    SELECT coalesce(array_agg(hit.scope ORDER BY hit.scope, hit.node), '{}'),
           coalesce(array_agg(hit.node ORDER BY hit.scope, hit.node), '{}'),
           coalesce(array_agg(hit.attempt::int ORDER BY hit.scope, hit.node), '{}'),
           coalesce(array_agg(hit.losses::int ORDER BY hit.scope, hit.node), '{}')
    INTO c_scopes, c_nodes, c_attempts, c_losses FROM hit;
  END IF;
  wave_left := celesta_members_v1(w) > 0;
  IF NOT wave_left THEN
    DELETE FROM celesta_hint WHERE run_id = p_run AND wave = p_wave;
  END IF;
  IF wave_left OR w.node IS NOT NULL THEN
    UPDATE celesta_wave SET cursor = w.cursor, nodes = w.nodes WHERE id = p_wave;
  ELSE
    DELETE FROM celesta_wave WHERE id = p_wave;
  END IF;
  IF w.node IS NOT NULL AND (v_full OR NOT wave_left) THEN
    wave_left := cardinality(c_nodes) > 0 OR EXISTS (
      SELECT 1 FROM celesta_slot s
      CROSS JOIN unnest(s.scopes, s.nodes) AS k(scope, node)
      CROSS JOIN LATERAL (
        SELECT t.token FROM celesta_node_run t
        WHERE t.run_id = p_run AND t.scope = k.scope AND t.node = k.node LIMIT 1) t
      WHERE s.id = p_slot AND s.token = p_token AND k.node = w.node AND t.token = p_token);
  END IF;
  IF wave_left AND cardinality(c_nodes) = 0 THEN
    -- Perhaps cancelled since the caller read the run's state: then nobody goes on with this wave.
    SELECT r.state IN ('pending', 'running', 'paused') INTO wave_left FROM celesta_run r WHERE r.id = p_run;
  END IF;
END $$;
