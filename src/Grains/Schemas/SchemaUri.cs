namespace Resources.Grains;

/// <summary>
/// Identifiers of schemas. They are only compared, never fetched, so nothing but RFC 3986's resolution of references
/// (5.2) happens to them.
/// </summary>
internal static class SchemaUri
{
    /// <summary>A reference, seen from a base that may be "".</summary>
    public static string Resolve(string based, string reference)
    {
        var (scheme, authority, path, query, fragment) = Split(reference);
        var from = Split(based);
        if (scheme is not null)
            path = WithoutDots(path);
        else if (authority is not null)
            (scheme, path) = (from.Scheme, WithoutDots(path));
        else
        {
            (scheme, authority) = (from.Scheme, from.Authority);
            if (path.Length is 0)
                (path, query) = (from.Path, query ?? from.Query);
            else
                path = WithoutDots(path[0] == '/' ? path : Merge(from, path));
        }
        return (scheme is null ? "" : $"{scheme}:")
            + (authority is null ? "" : $"//{authority}")
            + path
            + (query is null ? "" : $"?{query}")
            + (fragment is null ? "" : $"#{fragment}");
    }

    /// <summary>What stands before the fragment, and the fragment, unescaped; "" where there is none.</summary>
    public static (string Uri, string Fragment) Fragment(string uri) =>
        uri.IndexOf('#', StringComparison.Ordinal) is >= 0 and var hash
            ? (uri[..hash], Uri.UnescapeDataString(uri[(hash + 1)..]))
            : (uri, "");

    static (string? Scheme, string? Authority, string Path, string? Query, string? Fragment) Split(string uri)
    {
        string? scheme = null,
            authority = null,
            query = null,
            fragment = null;
        if (uri.IndexOf('#', StringComparison.Ordinal) is >= 0 and var hash)
            (uri, fragment) = (uri[..hash], uri[(hash + 1)..]);
        if (uri.IndexOf('?', StringComparison.Ordinal) is >= 0 and var question)
            (uri, query) = (uri[..question], uri[(question + 1)..]);
        var colon = uri.AsSpan().IndexOfAny(':', '/');
        if (colon > 0 && uri[colon] == ':')
            (scheme, uri) = (uri[..colon], uri[(colon + 1)..]);
        if (uri.StartsWith("//", StringComparison.Ordinal))
        {
            var slash = uri.IndexOf('/', 2) is >= 0 and var at ? at : uri.Length;
            (authority, uri) = (uri[2..slash], uri[slash..]);
        }
        return (scheme, authority, uri, query, fragment);
    }

    static string Merge(
        (string? Scheme, string? Authority, string Path, string? Query, string? Fragment) from,
        string path
    ) => from is { Authority: not null, Path: "" } ? "/" + path : from.Path[..(from.Path.LastIndexOf('/') + 1)] + path;

    static string WithoutDots(string path)
    {
        if (!path.Contains("./", StringComparison.Ordinal) && path is not [.., '.'])
            return path;
        var steps = new List<string>();
        var all = path.Split('/');
        for (var i = 0; i < all.Length; i++)
        {
            var isLast = i == all.Length - 1;
            if (all[i] is ".." && steps is [.., not ""])
                steps.RemoveAt(steps.Count - 1);
            if (all[i] is not ("." or ".."))
                steps.Add(all[i]);
            else if (isLast)
                steps.Add("");
        }
        return string.Join('/', steps);
    }
}
