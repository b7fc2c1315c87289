namespace Resources.Projections;
public abstract record Filter { public sealed record And(Filter L, Filter R) : Filter; public sealed record Search(IReadOnlyList<string> Words, bool NameOnly) : Filter; }
public sealed record FilterFault(int Position, string Detail);
public static class FilterParser { public static Filter? Parse(string text, List<FilterFault> faults) { faults.Add(new(0, "no")); return null; } }
public static class FilterSql { public static string Write(Filter filter, Npgsql.NpgsqlParameterCollection p) { var s = (Filter.Search)filter; p.Add(new() { Value = SearchWords.Query(s.Words, s.NameOnly) }); return $"words @@ ${p.Count}::tsquery"; } }
