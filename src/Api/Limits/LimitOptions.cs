using System.ComponentModel.DataAnnotations;

namespace Resources.Api;

/// <summary>A number of requests in a window of time.</summary>
public sealed class RateLimit
{
    [Range(1, 2_000_000_000)]
    public int Permits { get; set; }

    [Range(1, 86_400)]
    public int WindowSeconds { get; set; } = 60;
}

/// <summary>Section <c>RateLimits</c>. Limits hold for the whole cluster.</summary>
public sealed class RateLimitOptions
{
    /// <summary>Everything that has no limit of its own, by caller, else by address.</summary>
    public RateLimit Default { get; set; } = new() { Permits = 1000 };

    /// <summary>Logins, by address.</summary>
    public RateLimit Login { get; set; } = new() { Permits = 20 };

    /// <summary>Wrong passwords, by account.</summary>
    public RateLimit LoginAccount { get; set; } = new() { Permits = 10 };

    /// <summary>
    /// Wrong codes of second factors, by account: so many that somebody who has the password still guesses no code.
    /// </summary>
    public RateLimit Mfa { get; set; } = new() { Permits = 10, WindowSeconds = 600 };

    /// <summary>Mails that are asked for, and links from them, by address.</summary>
    public RateLimit Reset { get; set; } = new() { Permits = 10, WindowSeconds = 600 };

    /// <summary>Streams that are opened, by caller.</summary>
    public RateLimit Streams { get; set; } = new() { Permits = 300 };
}

/// <summary>Section <c>Overload</c>.</summary>
public sealed class OverloadOptions
{
    /// <summary>
    /// Requests that a node works on at once; those beyond are refused at once, as they would only wait. Streams, long
    /// polls and probes do not count.
    /// </summary>
    [Range(1, 100_000)]
    public int MaxRequests { get; set; } = 1_000;
}
