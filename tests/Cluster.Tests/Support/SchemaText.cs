using Npgsql;

namespace Resources.Cluster.Tests;

/// <summary>
/// Writes a database's schema as SQL, from the catalogue. Every supported version of PostgreSQL gives the same text,
/// which pg_dump's does not.
/// </summary>
static class SchemaText
{
    const string Head = """
        -- The schema as it is after every migration, for readers: tables with their indexes and triggers, views, functions.
        -- Generated from a database, so never edit it: UPDATE_SCHEMA=1 dotnet test --project tests/Cluster.Tests --filter-class '*SchemaTextTests'


        """;

    /// <summary>
    /// PostgreSQL 18 has a constraint for each column that is not null, which the column says, too. Marten writes the
    /// time of its migration as a default.
    /// </summary>
    const string Tables = """
        select concat(
            'CREATE ', case when t.relpersistence = 'u' then 'UNLOGGED ' end, 'TABLE ', t.relname, E' (\n    ',
            concat_ws(E',\n    ',
                (select string_agg(concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
                        case when a.attcollation <> y.typcollation then (select 'COLLATE ' || quote_ident(collname) from pg_collation where oid = a.attcollation) end,
                        case when a.attnotnull then 'NOT NULL' end,
                        case when a.attidentity <> '' then 'GENERATED ' || case a.attidentity when 'a' then 'ALWAYS' else 'BY DEFAULT' end || ' AS IDENTITY' end,
                        'DEFAULT ' || regexp_replace(pg_get_expr(d.adbin, d.adrelid), '^''\d{4}-.*''::timestamp with time zone$', '(the time of the migration)')),
                        E',\n    ' order by a.attnum)
                    from pg_attribute a join pg_type y on y.oid = a.atttypid left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
                    where a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped),
                (select string_agg(pg_get_constraintdef(oid), E',\n    ' order by strpos('pucxf', contype::text), conname collate "C")
                    from pg_constraint where conrelid = t.oid and contype in ('p', 'u', 'c', 'x', 'f'))),
            E'\n)', ' WITH (' || array_to_string(t.reloptions, ', ') || ')', ';',
            (select string_agg(format(E'\nALTER TABLE %I ALTER COLUMN %I SET STATISTICS %s;', t.relname, attname, attstattarget), '' order by attnum)
                from pg_attribute where attrelid = t.oid and attnum > 0 and attstattarget >= 0),
            (select string_agg(E'\n' || replace(pg_get_indexdef(indexrelid), ' ON public.', ' ON ') || ';', '' order by indexrelid::regclass::text collate "C")
                from pg_index where indrelid = t.oid and not exists (select from pg_constraint where conindid = indexrelid and conrelid = t.oid)),
            (select string_agg(E'\n' || replace(pg_get_triggerdef(oid), ' ON public.', ' ON ') || ';', '' order by tgname collate "C")
                from pg_trigger where tgrelid = t.oid and not tgisinternal))
        from pg_class t where t.relnamespace = 'public'::regnamespace and t.relkind = 'r' order by t.relname collate "C"
        """;

    const string Sequences = """
        select format('CREATE SEQUENCE %I AS %s INCREMENT %s START %s;', c.relname, s.seqtypid::regtype, s.seqincrement, s.seqstart)
        from pg_sequence s join pg_class c on c.oid = s.seqrelid
        where c.relnamespace = 'public'::regnamespace and not exists (select from pg_depend where objid = c.oid and deptype = 'i')
        order by c.relname collate "C"
        """;

    /// <summary>PostgreSQL 15 names a column's table where there is only one.</summary>
    const string Views = """
        select format(E'CREATE VIEW %I AS\n   %s', v.relname, regexp_replace(
            regexp_replace(pg_get_viewdef(v.oid), '\m(' || (
                select string_agg(distinct d.refobjid::regclass::text, '|') from pg_depend d join pg_rewrite r on r.oid = d.objid
                where r.ev_class = v.oid and d.refclassid = 'pg_class'::regclass and d.refobjid <> v.oid) || ')\.', '', 'g'), '\s+', ' ', 'g'))
        from pg_class v where v.relnamespace = 'public'::regnamespace and v.relkind = 'v' order by v.relname collate "C"
        """;

    const string Functions = """
        select replace(trim(E'\n' from pg_get_functiondef(oid)), 'FUNCTION public.', 'FUNCTION ') || ';'
        from pg_proc where pronamespace = 'public'::regnamespace and proname not like 'mt\_%' order by oid::regprocedure::text collate "C"
        """;

    const string FunctionsOfMarten = """
        select '-- ' || oid::regprocedure from pg_proc where pronamespace = 'public'::regnamespace and proname like 'mt\_%' order by oid::regprocedure::text collate "C"
        """;

    public static async Task<string> ReadAsync(string connectionString)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        return string.Concat(
                    Head,
                    await ReadAsync(source, Tables),
                    await ReadAsync(source, Sequences),
                    await ReadAsync(source, Views),
                    await ReadAsync(source, Functions),
                    "-- Marten's own functions:\n",
                    await ReadAsync(source, FunctionsOfMarten, apart: "\n")
                )
                .ReplaceLineEndings("\n")
                .TrimEnd() + "\n";
    }

    static async Task<string> ReadAsync(NpgsqlDataSource source, string sql, string apart = "\n\n")
    {
        await using var command = source.CreateCommand(sql);
        var texts = new List<string>();
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
            texts.Add(reader.GetString(0) + apart);
        return string.Concat(texts);
    }
}
