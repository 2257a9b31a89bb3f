-- Give others the rows that a slot claimed and has not begun, because one node before them takes long.
-- p_begun counts the held rows, in claim order, that had begun since call p_seq; a later call of the slot
-- makes this one too late, and it does nothing. Locks: run, slot, node runs.
CREATE FUNCTION celesta_relieve_v1(p_slot bigint, p_token bigint, p_seq int, p_begun int)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_run uuid;
  v_version bigint;
  s celesta_slot;
BEGIN
  SELECT t.run_id INTO v_run FROM celesta_slot t WHERE t.id = p_slot;
  SELECT r.version_id INTO v_version FROM celesta_run r
  WHERE r.id = v_run AND r.state IN ('pending', 'running', 'paused') FOR KEY SHARE;
  IF NOT FOUND THEN RETURN '[]'; END IF;
  SELECT * INTO s FROM celesta_slot t
  WHERE t.id = p_slot AND t.token = p_token AND t.seq = p_seq AND t.run_id = v_run
    AND cardinality(t.nodes) > p_begun FOR UPDATE;
  IF NOT FOUND THEN RETURN '[]'; END IF;
  -- They may have been cancelled since this call read the run's state.
  PERFORM 1 FROM (
    SELECT k.scope, k.node FROM unnest(s.scopes[p_begun + 1:], s.nodes[p_begun + 1:]) AS k(scope, node)
    ORDER BY k.scope, k.node) k
  CROSS JOIN LATERAL (
    SELECT 1 FROM celesta_node_run n
    WHERE n.run_id = v_run AND n.scope = k.scope AND n.node = k.node AND n.state = 'running'
      AND n.token = p_token
    LIMIT 1 FOR UPDATE) n;
  IF NOT FOUND THEN RETURN '[]'; END IF;
  UPDATE celesta_slot t SET scopes = s.scopes[:p_begun], nodes = s.nodes[:p_begun] WHERE t.id = p_slot;
  RETURN celesta_hand_back_v1(v_run, v_version, clock_timestamp(), p_token,
    s.scopes[p_begun + 1:], s.nodes[p_begun + 1:]);
END $$;
