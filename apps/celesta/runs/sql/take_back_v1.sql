-- Take back what a slot held: its process died (p_force) or its lease ran out. p_begun counts the held
-- rows, in claim order, whose bodies had begun (NULL: unknown, all of them may have); the last of those
-- counts a loss if p_blame (p_seq: the call after which that was counted; a later call means that nothing
-- had begun since), rows never begun go back without an attempt. A node lost p_max_losses times is given
-- up. In a run that is over or being cancelled only the slot is freed.
CREATE FUNCTION celesta_take_back_v1(
  p_slot bigint, p_token bigint, p_seq int, p_begun int, p_blame boolean, p_force boolean,
  p_max_losses int,
  OUT taken int, OUT sent jsonb
) LANGUAGE plpgsql AS $$
DECLARE
  v_at timestamptz := clock_timestamp();
  v_run uuid;
  v_version bigint;
  v_state text;
  s celesta_slot;
  v_lost_scopes int[]; v_lost_nodes int[];
  v_fresh_scopes int[]; v_fresh_nodes int[];
  v_dead_scopes int[]; v_dead_nodes int[];
  v_begun int;
BEGIN
  taken := 0; sent := '[]';
  SELECT t.run_id INTO v_run FROM celesta_slot t WHERE t.id = p_slot;
  SELECT r.version_id, r.state INTO v_version, v_state
  FROM celesta_run r WHERE r.id = v_run FOR KEY SHARE;
  SELECT * INTO s FROM celesta_slot t
  WHERE t.id = p_slot AND t.token IS NOT DISTINCT FROM p_token AND t.run_id IS NOT DISTINCT FROM v_run
    AND (p_force OR t.lease_until < v_at) FOR UPDATE;
  IF NOT FOUND THEN RETURN; END IF;
  UPDATE celesta_slot t SET token = NULL, run_id = NULL, scopes = '{}', nodes = '{}', wave = NULL,
    idle_since = NULL, lease_until = v_at WHERE t.id = p_slot;
  IF s.token IS NULL OR v_state NOT IN ('pending', 'running', 'paused') THEN RETURN; END IF;
  v_begun := CASE WHEN p_seq = s.seq THEN p_begun WHEN p_begun IS NOT NULL THEN 0 END;

  WITH held AS (
    SELECT run, scope, node, ord <= coalesce(v_begun, cardinality(s.nodes)) AS begun,
           p_blame AND (v_begun IS NULL OR ord = v_begun) AS guilty
    FROM unnest(s.scopes, s.nodes, array_fill(s.run_id, ARRAY[cardinality(s.nodes)]))
      WITH ORDINALITY AS h(scope, node, run, ord)
  ), hit AS (
    UPDATE celesta_node_run n
    SET token = NULL,
        losses = n.losses + h.guilty::int,
        attempt = n.attempt - (NOT h.begun)::int,
        state = CASE WHEN n.losses + h.guilty::int >= p_max_losses THEN 'failed' ELSE 'ready' END,
        started_at = CASE WHEN n.losses + h.guilty::int >= p_max_losses THEN n.started_at END,
        finished_at = CASE WHEN n.losses + h.guilty::int >= p_max_losses THEN v_at END
    FROM held h
    WHERE n.run_id = h.run AND n.scope = h.scope AND n.node = h.node AND n.state = 'running'
      AND n.token = s.token
    RETURNING n.scope, n.node, n.attempt, n.losses, n.state, h.begun, h.guilty
  ), dead AS (
    INSERT INTO celesta_output (run_id, scope, node, error)
    SELECT s.run_id, scope, node, jsonb_build_object('code', 'lost', 'retryable', false, 'message',
      format('the process that ran this node died %s times; it was given up', losses))
    FROM hit WHERE state = 'failed' RETURNING scope, node, error
  ), told AS (
    -- In one statement, since the order of two is not ours: a node is lost first, and then given up.
    INSERT INTO celesta_event (run_id, at, kind, scope, node, attempt, data)
    SELECT s.run_id, v_at, t.kind, t.scope, t.node, t.attempt, t.data
    FROM (
      SELECT 1 AS place, CASE WHEN begun THEN 'lost' ELSE 'handed_back' END AS kind, scope, node, attempt,
             jsonb_build_object('worker', s.worker, 'pid', s.pid, 'losses', losses) AS data
      FROM hit
      UNION ALL
      SELECT 2, 'failed', dead.scope, dead.node, hit.attempt, dead.error
      FROM dead JOIN hit USING (scope, node)) t
    ORDER BY t.place, t.scope, t.node
  )
  SELECT count(*),
    array_agg(scope) FILTER (WHERE state = 'ready' AND losses > 0),
    array_agg(node) FILTER (WHERE state = 'ready' AND losses > 0),
    array_agg(scope) FILTER (WHERE state = 'ready' AND losses = 0),
    array_agg(node) FILTER (WHERE state = 'ready' AND losses = 0),
    array_agg(scope) FILTER (WHERE state = 'failed'), array_agg(node) FILTER (WHERE state = 'failed')
  INTO taken, v_lost_scopes, v_lost_nodes, v_fresh_scopes, v_fresh_nodes, v_dead_scopes, v_dead_nodes
  FROM hit;

  -- A row with losses travels alone, so that a poison node does not condemn its batch mates.
  FOR i IN 1 .. coalesce(cardinality(v_lost_nodes), 0) LOOP
    sent := sent || celesta_travel_v1(
      s.run_id, v_version, v_at, v_lost_scopes[i:i], v_lost_nodes[i:i]);
  END LOOP;
  IF v_fresh_nodes IS NOT NULL THEN
    sent := sent || celesta_travel_v1(s.run_id, v_version, v_at, v_fresh_scopes, v_fresh_nodes);
  END IF;
  IF v_dead_nodes IS NOT NULL THEN
    SELECT celesta_take_back_v1.sent || t.sent INTO sent FROM celesta_settle_v1(
      s.run_id, v_version, v_at, v_dead_scopes, v_dead_nodes,
      array_fill('failed'::text, ARRAY[cardinality(v_dead_nodes)]), NULL, NULL, '{}', 0) t;
  END IF;
  IF s.wave IS NOT NULL THEN
    sent := sent || celesta_reopen_lane_v1(s.run_id, s.wave, v_at, 0);
  END IF;
END $$;
