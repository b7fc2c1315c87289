using System.ComponentModel.DataAnnotations;

namespace Resources.Api;

/// <summary>A number of requests in a window of time.</summary>
public sealed class RateLimit
{
    [Range(1, 2_000_000_000)]
    public int Permits { get; set; }

    [Range(1, 86_400)]
    public int WindowSeconds { get; set; } = 60;

    /// <summary>The limit with so many times its permits.</summary>
    public RateLimit Times(int factor) =>
        new() { Permits = (int)Math.Min(int.MaxValue, (long)Permits * factor), WindowSeconds = WindowSeconds };
}

/// <summary>Section <c>RateLimits</c>. Limits hold for the whole cluster.</summary>
public sealed class RateLimitOptions
{
    /// <summary>Everything that has no limit of its own, by caller, else by address.</summary>
    public RateLimit Default { get; set; } = new() { Permits = 1000 };

    /// <summary>Logins, by address.</summary>
    public RateLimit Login { get; set; } = new() { Permits = 20 };

    /// <summary>
    /// Wrong passwords, by account and neighbourhood; or by browser, where the account has signed in before. A
    /// neighbourhood alone does not use up the account's permits.
    /// </summary>
    public RateLimit LoginPair { get; set; } = new() { Permits = 10, WindowSeconds = 600 };

    /// <summary>Wrong passwords, by account, from browsers in which it has not signed in before.</summary>
    public RateLimit LoginAccount { get; set; } = new() { Permits = 100, WindowSeconds = 3600 };

    /// <summary>
    /// Wrong codes of second factors, by account: so many that somebody who has the password still guesses no code.
    /// </summary>
    public RateLimit Mfa { get; set; } = new() { Permits = 10, WindowSeconds = 600 };

    /// <summary>Mails that are asked for, and links from them, by address.</summary>
    public RateLimit Reset { get; set; } = new() { Permits = 10, WindowSeconds = 600 };

    /// <summary>Streams that are opened, by caller.</summary>
    public RateLimit Streams { get; set; } = new() { Permits = 300 };

    /// <summary>Names of webhook targets that are looked up, by caller.</summary>
    public RateLimit Lookups { get; set; } = new() { Permits = 10 };

    /// <summary>Accounts that are created, with an invitation or without, by caller.</summary>
    public RateLimit Users { get; set; } = new() { Permits = 500, WindowSeconds = 3600 };

    /// <summary>Roles that are created, by caller.</summary>
    public RateLimit Roles { get; set; } = new() { Permits = 200, WindowSeconds = 3600 };

    /// <summary>API keys that are created, by caller.</summary>
    public RateLimit ApiKeys { get; set; } = new() { Permits = 100, WindowSeconds = 3600 };

    /// <summary>Subscriptions that are created, by caller.</summary>
    public RateLimit Subscriptions { get; set; } = new() { Permits = 200, WindowSeconds = 3600 };
}

/// <summary>Section <c>Overload</c>: what a node does and holds at once, and how slow its clients may be.</summary>
public sealed class OverloadOptions
{
    /// <summary>
    /// Requests that a node works on at once; those beyond are refused at once, as they would only wait. Streams, long
    /// polls, probes, and requests whose body is still arriving do not count.
    /// </summary>
    [Range(1, 100_000)]
    public int MaxRequests { get; set; } = 1_000;

    /// <summary>How many of a hundred of these requests may be of one address.</summary>
    [Range(1, 100)]
    public int MaxPercentPerAddress { get; set; } = 50;

    /// <summary>And how many of one /24 of IPv4, or one /48 of IPv6; at least as many as of one address.</summary>
    [Range(1, 100)]
    public int MaxPercentPerNeighbourhood { get; set; } = 75;

    /// <summary>
    /// A client that sends a body or takes an answer more slowly than this, in bytes a second, is disconnected.
    /// </summary>
    [Range(1, 1_000_000)]
    public int MinRate { get; set; } = 4 * 1024;

    /// <summary>For this many seconds of a body or an answer, it may be slower.</summary>
    [Range(2, 60)]
    public int GraceSeconds { get; set; } = 10;

    /// <summary>What bodies that are still arriving may take of a node's memory.</summary>
    [Range(1, 1 << 20)]
    public int MaxArrivingKiB { get; set; } = 128 * 1024;

    /// <summary>What those of one address may take; that of an IPv6 client is its /64.</summary>
    [Range(1, 1 << 20)]
    public int MaxArrivingKiBPerAddress { get; set; } = 32 * 1024;

    /// <summary>What those of one /24 of IPv4, or one /48 of IPv6, may take.</summary>
    [Range(1, 1 << 20)]
    public int MaxArrivingKiBPerNeighbourhood { get; set; } = 64 * 1024;

    /// <summary>What those of callers without a credential may take, a quarter of it those of one neighbourhood.</summary>
    [Range(1, 1 << 20)]
    public int MaxArrivingKiBOfGuests { get; set; } = 32 * 1024;

    /// <summary>Connections of a node; those of trusted balancers do not count.</summary>
    [Range(1, 1_000_000)]
    public int MaxConnections { get; set; } = 20_000;

    /// <summary>Those of one address; that of an IPv6 client is its /64.</summary>
    [Range(1, 1_000_000)]
    public int MaxConnectionsPerAddress { get; set; } = 2_000;

    /// <summary>Those of one /24 of IPv4, or one /48 of IPv6; at least as many as of one address.</summary>
    [Range(1, 1_000_000)]
    public int MaxConnectionsPerNeighbourhood { get; set; } = 5_000;

    /// <summary>WebSockets of a node that have not sent their token yet.</summary>
    [Range(1, 100_000)]
    public int MaxWaitingSockets { get; set; } = 2_000;

    /// <summary>Those of one address.</summary>
    [Range(1, 100_000)]
    public int MaxWaitingSocketsPerAddress { get; set; } = 500;

    /// <summary>Those of one /24 of IPv4, or one /48 of IPv6; at least as many as of one address.</summary>
    [Range(1, 100_000)]
    public int MaxWaitingSocketsPerNeighbourhood { get; set; } = 1_000;
}
