-- Throw away the items of maps that ended before their last chunk was written: nobody was told of them, and
-- nobody will release them. p_nodes NULL: of every map of the run.
CREATE FUNCTION celesta_drop_unreleased_v1(p_run uuid, p_scopes int[], p_nodes int[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  e record;
BEGIN
  FOR e IN
    SELECT t.scope, t.node FROM celesta_expansion t
    WHERE t.run_id = p_run AND t.created < t.total
      AND (p_nodes IS NULL OR (t.scope, t.node) IN (SELECT * FROM unnest(p_scopes, p_nodes)))
    ORDER BY t.first_scope
  LOOP
    PERFORM celesta_drop_expansion_v1(p_run, e.scope, e.node);
  END LOOP;
END $$;
