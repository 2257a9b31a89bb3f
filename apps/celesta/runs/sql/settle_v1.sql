-- Follow the consequences of ended nodes through the gates until nothing more follows, then release the
-- children: up to p_keep of them to the caller's own slot (`pending -> running`), the rest to travel.
-- Each child is written once. Gates are locked in id order within a round; the few orders that can still
-- cross between rounds end as a deadlock error, which every caller retries.
CREATE FUNCTION celesta_settle_v1(
  p_run uuid, p_version bigint, p_at timestamptz,
  p_scopes int[], p_nodes int[], p_states text[],
  p_slot bigint, p_token bigint, p_queues text[], p_keep int,
  OUT kept_scopes int[], OUT kept_nodes int[], OUT sent jsonb, OUT ended boolean
) LANGUAGE plpgsql AS $$
DECLARE
  f_scopes int[] := p_scopes;
  f_nodes int[] := p_nodes;
  f_states text[] := p_states;
  run_scopes int[];
  run_nodes int[];
  x_scopes int[];
  x_nodes int[];
  x_states text[];
  free_scopes int[];
  free_nodes int[];
  g record;
  v text;
  moved boolean;
BEGIN
  kept_scopes := '{}'; kept_nodes := '{}'; sent := '[]'; ended := false;
  IF 'failed' = ANY (p_states) OR 'skipped' = ANY (p_states) THEN
    PERFORM celesta_drop_unreleased_v1(p_run, p_scopes, p_nodes);
  END IF;
  LOOP
    run_scopes := '{}'; run_nodes := '{}';
    WHILE cardinality(f_nodes) > 0 LOOP
      x_scopes := '{}'; x_nodes := '{}'; x_states := '{}'; moved := false;
      FOR g IN
        SELECT f.scope, p_gate AS gate, count(*)::int AS n, q.rule, q.total, q.nodes,
               (count(*) FILTER (WHERE f.state = 'succeeded'))::int AS good,
               (count(*) FILTER (WHERE f.state = 'skipped'))::int AS skipped
        FROM unnest(f_scopes, f_nodes, f_states) AS f(scope, node, state)
        CROSS JOIN LATERAL (
          SELECT t.feeds FROM celesta_plan_node t
          WHERE t.version_id = p_version AND t.node = f.node LIMIT 1) p
        CROSS JOIN unnest(p.feeds) AS p_gate
        CROSS JOIN LATERAL (
          SELECT t.rule, t.total, t.nodes FROM celesta_plan_gate t
          WHERE t.version_id = p_version AND t.gate = p_gate LIMIT 1) q
        GROUP BY f.scope, p_gate, q.rule, q.total, q.nodes
        ORDER BY f.scope, p_gate
      LOOP
        moved := true;
        IF g.total = 1 THEN
          v := celesta_verdict_v1(g.rule, 1, g.good, g.n - g.good - g.skipped, g.skipped);
        ELSE
          UPDATE celesta_gate t
          SET succeeded = t.succeeded + g.good,
              failed = t.failed + g.n - g.good - g.skipped,
              skipped = t.skipped + g.skipped,
              fired = celesta_verdict_v1(g.rule, g.total, t.succeeded + g.good,
                t.failed + g.n - g.good - g.skipped, t.skipped + g.skipped) <> 'wait'
          WHERE t.run_id = p_run AND t.scope = g.scope AND t.gate = g.gate AND NOT t.fired
          RETURNING celesta_verdict_v1(g.rule, g.total, t.succeeded, t.failed, t.skipped) INTO v;
          CONTINUE WHEN NOT FOUND;  -- fired early by any_success or any_failed
        END IF;
        IF v = 'run' THEN
          run_scopes := run_scopes || array_fill(g.scope, ARRAY[cardinality(g.nodes)]);
          run_nodes := run_nodes || g.nodes;
        ELSIF v <> 'wait' THEN
          x_scopes := x_scopes || array_fill(g.scope, ARRAY[cardinality(g.nodes)]);
          x_nodes := x_nodes || g.nodes;
          x_states := x_states || array_fill(
            CASE v WHEN 'skip' THEN 'skipped' ELSE 'upstream_failed' END,
            ARRAY[cardinality(g.nodes)]);
        END IF;
      END LOOP;
      IF cardinality(x_nodes) > 0 THEN
        WITH hit AS (
          UPDATE celesta_node_run n SET state = x.state, finished_at = p_at
          FROM unnest(x_scopes, x_nodes, x_states, array_fill(p_run, ARRAY[cardinality(x_nodes)]))
            AS x(scope, node, state, run)
          WHERE n.run_id = x.run AND n.scope = x.scope AND n.node = x.node AND n.state = 'pending'
          RETURNING n.scope, n.node, n.state
        ), told AS (
          INSERT INTO celesta_event (run_id, at, kind, scope, node, attempt)
          SELECT p_run, p_at, state, scope, node, 0 FROM hit ORDER BY scope, node
        )
        SELECT coalesce(array_agg(scope), '{}'), coalesce(array_agg(node), '{}'),
               coalesce(array_agg(state), '{}')
        INTO x_scopes, x_nodes, x_states FROM hit;
      END IF;
      IF 0 < ANY (f_scopes) THEN
        SELECT x_scopes || m.scopes, x_nodes || m.nodes, x_states || m.states
        INTO x_scopes, x_nodes, x_states
        FROM celesta_end_items_v1(p_run, p_version, p_at, f_scopes, f_nodes, f_states) m;
      ELSIF NOT moved THEN
        SELECT e.ended, celesta_settle_v1.sent || e.sent INTO ended, sent
        FROM celesta_end_run_v1(p_run, p_version, p_at, f_nodes) e;
      END IF;
      f_scopes := x_scopes; f_nodes := x_nodes; f_states := x_states;
    END LOOP;
    EXIT WHEN cardinality(run_nodes) = 0;
    IF cardinality(run_nodes) = 1 THEN
      -- The usual step of a path, in plain statements: half the cost of the set-based form below.
      SELECT CASE WHEN t.auto THEN 'succeeded'
                  WHEN p_keep > 0 AND t.queue = ANY (p_queues) THEN 'running' ELSE 'ready' END
      INTO v FROM celesta_plan_node t WHERE t.version_id = p_version AND t.node = run_nodes[1];
      UPDATE celesta_node_run n
      SET state = v, ready_at = p_at,
          attempt = CASE v WHEN 'running' THEN 1 ELSE 0 END,
          token = CASE v WHEN 'running' THEN p_token END,
          slot = CASE v WHEN 'running' THEN p_slot END,
          via = CASE v WHEN 'running' THEN 'continued' END,
          started_at = CASE v WHEN 'running' THEN p_at END,
          finished_at = CASE v WHEN 'succeeded' THEN p_at END
      WHERE n.run_id = p_run AND n.scope = run_scopes[1] AND n.node = run_nodes[1] AND n.state = 'pending';
      EXIT WHEN NOT FOUND;
      IF v = 'ready' THEN
        sent := sent || celesta_travel_v1(p_run, p_version, p_at, run_scopes, run_nodes);
        EXIT;
      END IF;
      INSERT INTO celesta_event (run_id, at, kind, scope, node, attempt)
      VALUES (p_run, p_at, v, run_scopes[1], run_nodes[1], CASE v WHEN 'running' THEN 1 ELSE 0 END);
      IF v = 'running' THEN
        kept_scopes := run_scopes; kept_nodes := run_nodes;
        EXIT;
      END IF;
      f_scopes := run_scopes; f_nodes := run_nodes; f_states := ARRAY['succeeded'];
      CONTINUE;
    END IF;
    WITH child AS (
      SELECT c.run, c.scope, c.node, p.auto,
             CASE WHEN p.auto THEN 'succeeded'
                  WHEN p.queue = ANY (p_queues) AND row_number() OVER (
                    PARTITION BY p.queue = ANY (p_queues) AND NOT p.auto
                    ORDER BY p.priority DESC, c.scope, c.node) <= p_keep THEN 'running'
                  ELSE 'ready' END AS state
      FROM unnest(run_scopes, run_nodes, array_fill(p_run, ARRAY[cardinality(run_nodes)]))
        AS c(scope, node, run)
      CROSS JOIN LATERAL (
        SELECT * FROM celesta_plan_node t
        WHERE t.version_id = p_version AND t.node = c.node LIMIT 1) p
    ), hit AS (
      UPDATE celesta_node_run n
      SET state = c.state, ready_at = p_at,
          attempt = CASE c.state WHEN 'running' THEN 1 ELSE 0 END,
          token = CASE c.state WHEN 'running' THEN p_token END,
          slot = CASE c.state WHEN 'running' THEN p_slot END,
          via = CASE c.state WHEN 'running' THEN 'continued' END,
          started_at = CASE c.state WHEN 'running' THEN p_at END,
          finished_at = CASE c.state WHEN 'succeeded' THEN p_at END
      FROM child c
      WHERE n.run_id = c.run AND n.scope = c.scope AND n.node = c.node AND n.state = 'pending'
      RETURNING n.scope, n.node, n.state
    ), told AS (
      INSERT INTO celesta_event (run_id, at, kind, scope, node, attempt)
      SELECT p_run, p_at, state, scope, node, CASE state WHEN 'running' THEN 1 ELSE 0 END
      FROM hit WHERE state <> 'ready' ORDER BY scope, node
    )
    SELECT coalesce(array_agg(scope ORDER BY scope, node) FILTER (WHERE state = 'succeeded'), '{}'),
           coalesce(array_agg(node ORDER BY scope, node) FILTER (WHERE state = 'succeeded'), '{}'),
           kept_scopes || coalesce(array_agg(scope ORDER BY scope, node) FILTER (WHERE state = 'running'), '{}'),
           kept_nodes || coalesce(array_agg(node ORDER BY scope, node) FILTER (WHERE state = 'running'), '{}'),
           coalesce(array_agg(scope ORDER BY scope, node) FILTER (WHERE state = 'ready'), '{}'),
           coalesce(array_agg(node ORDER BY scope, node) FILTER (WHERE state = 'ready'), '{}')
    INTO f_scopes, f_nodes, kept_scopes, kept_nodes, free_scopes, free_nodes FROM hit;
    IF cardinality(free_nodes) > 0 THEN
      sent := sent || celesta_travel_v1(p_run, p_version, p_at, free_scopes, free_nodes);
    END IF;
    EXIT WHEN cardinality(f_nodes) = 0;
    f_states := array_fill('succeeded'::text, ARRAY[cardinality(f_nodes)]);
  END LOOP;
END $$;
