namespace Resources.Api;

/// <summary>For whom a password is hashed, as the queue takes turns.</summary>
/// <param name="Neighbourhood">A network that one owner mostly has.</param>
/// <param name="Network">What the client surely owns of it.</param>
/// <param name="IsKnown">Whether the client is signed in, or was so before in this browser.</param>
public readonly record struct HashCaller(string Neighbourhood, string Network, bool IsKnown)
{
    /// <summary>The node itself, at its start.</summary>
    public static readonly HashCaller Node = new("", "", true);

    /// <summary>Who sends a request.</summary>
    public static HashCaller Of(HttpContext context, bool isKnown)
    {
        var address = context.Connection.RemoteIpAddress;
        return new(Networks.Neighbourhood(address), Networks.Of(address), isKnown);
    }

    /// <summary>The lane in which the password waits, from the widest.</summary>
    public string[] Lane => [IsKnown ? "known" : "unknown", Neighbourhood, Network];
}
