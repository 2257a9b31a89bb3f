-- Record results that came too late (another attempt, another holder, a run that is over).
CREATE FUNCTION celesta_refuse_v1(
  p_run uuid, p_at timestamptz, p_scopes int[], p_nodes int[], p_attempts int[], p_states text[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO celesta_event (run_id, at, kind, scope, node, attempt, data)
  SELECT p_run, p_at, 'refused', scope, node, attempt, jsonb_build_object('reported', state)
  FROM unnest(p_scopes, p_nodes, p_attempts, p_states) AS d(scope, node, attempt, state);
END $$;

-- A slot that holds nothing any more.
CREATE FUNCTION celesta_idle_v1(
  p_slot bigint, p_token bigint, p_seq int, p_at timestamptz, p_lease float8
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE celesta_slot
  SET token = NULL, seq = p_seq, run_id = NULL, scopes = '{}', nodes = '{}', wave = NULL,
      idle_since = p_at, lease_until = p_at + make_interval(secs => p_lease)
  WHERE id = p_slot AND token = p_token;
END $$;

-- Rows that were claimed but not begun become ready again, without an attempt, and travel.
CREATE FUNCTION celesta_hand_back_v1(
  p_run uuid, p_version bigint, p_at timestamptz, p_token bigint, p_scopes int[], p_nodes int[]
) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_scopes int[];
  v_nodes int[];
BEGIN
  WITH hit AS (
    UPDATE celesta_node_run n
    SET state = 'ready', attempt = n.attempt - 1, token = NULL, started_at = NULL
    FROM unnest(p_scopes, p_nodes, array_fill(p_run, ARRAY[cardinality(p_nodes)]))
      AS b(scope, node, run)
    WHERE n.run_id = b.run AND n.scope = b.scope AND n.node = b.node AND n.state = 'running'
      AND n.token = p_token
    RETURNING n.scope, n.node, n.attempt
  ), told AS (
    INSERT INTO celesta_event (run_id, at, kind, scope, node, attempt)
    SELECT p_run, p_at, 'handed_back', scope, node, attempt FROM hit
  )
  SELECT array_agg(scope), array_agg(node) INTO v_scopes, v_nodes FROM hit;
  IF v_nodes IS NULL THEN RETURN '[]'; END IF;
  RETURN celesta_travel_v1(p_run, p_version, p_at, v_scopes, v_nodes);
END $$;

-- Send the lane of a slot that leaves a wave on its way again; nothing when no member is left.
-- p_leaving is 0 when the slot has left already.
CREATE FUNCTION celesta_reopen_lane_v1(
  p_run uuid, p_wave bigint, p_at timestamptz, p_leaving int DEFAULT 1
) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  w celesta_wave;
BEGIN
  SELECT * INTO w FROM celesta_wave WHERE id = p_wave FOR UPDATE;
  IF NOT FOUND THEN RETURN '[]'; END IF;
  IF w.node IS NOT NULL THEN RETURN celesta_fill_lanes_v1(p_run, p_wave, p_at, p_leaving); END IF;
  RETURN jsonb_build_array(jsonb_build_object(
    'hints', celesta_open_lanes_v1(p_run, p_wave, 1, w.queue, w.priority, p_at),
    'scope', w.scope, 'nodes', to_jsonb(w.nodes), 'wave', p_wave,
    'queue', w.queue, 'priority', w.priority));
END $$;

-- What a slot holds under a token: asked after a call whose outcome is unknown. No row: not this token.
CREATE FUNCTION celesta_held_v1(
  p_slot bigint, p_token bigint,
  OUT seq int, OUT run uuid, OUT c_scopes int[], OUT c_nodes int[], OUT c_attempts int[],
  OUT c_losses int[], OUT c_inputs jsonb[], OUT wave bigint
) LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_version bigint;
BEGIN
  SELECT s.seq, s.run_id, s.scopes, s.nodes, s.wave INTO seq, run, c_scopes, c_nodes, wave
  FROM celesta_slot s WHERE s.id = p_slot AND s.token = p_token;
  IF NOT FOUND THEN RETURN; END IF;
  SELECT r.version_id INTO v_version FROM celesta_run r WHERE r.id = run;
  SELECT array_agg(n.attempt::int ORDER BY k.ord), array_agg(n.losses::int ORDER BY k.ord)
  INTO c_attempts, c_losses
  FROM unnest(c_scopes, c_nodes) WITH ORDINALITY AS k(scope, node, ord)
  JOIN celesta_node_run n ON n.run_id = run AND n.scope = k.scope AND n.node = k.node;
  c_inputs := celesta_inputs_v1(run, v_version, c_scopes, c_nodes);
END $$;
