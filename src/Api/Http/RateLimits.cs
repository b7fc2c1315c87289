using System.Collections.Concurrent;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Resources.Api;

/// <summary>A number of requests in a window of time.</summary>
public sealed class RateLimit
{
    [Range(1, 2_000_000_000)]
    public int Permits { get; set; }

    [Range(1, 86_400)]
    public int WindowSeconds { get; set; } = 60;
}

/// <summary>Section <c>RateLimits</c>. Limits hold per node.</summary>
public sealed class RateLimitOptions
{
    /// <summary>Everything that has no limit of its own, by caller, else by address.</summary>
    public RateLimit Default { get; set; } = new() { Permits = 1000 };

    /// <summary>Logins, by address.</summary>
    public RateLimit Login { get; set; } = new() { Permits = 20 };
}

/// <summary>Names the limit of an endpoint, where it is not the default.</summary>
public sealed record LimitedBy(string Policy);

/// <summary>Fixed windows by caller, else by address; every limited answer says where its caller stands.</summary>
public sealed class RateLimits(RateLimitOptions options, TimeProvider time) : IDisposable
{
    public const string Default = "default";
    public const string Login = "login";

    readonly Policy standard = new(Default, options.Default, time);
    readonly Policy login = new(Login, options.Login, time);

    /// <summary>Middleware: counts the request and refuses it when its window is used up.</summary>
    public Task LimitAsync(HttpContext context, RequestDelegate next)
    {
        var endpoint = context.GetEndpoint();
        if (endpoint?.Metadata.GetMetadata<Unlimited>() is not null) return next(context);
        var policy = endpoint?.Metadata.GetMetadata<LimitedBy>()?.Policy is Login ? login : standard;
        var (left, reset) = policy.Take(KeyOf(context, policy));
        context.Response.Headers["RateLimit-Policy"] = policy.Description;
        context.Response.Headers["RateLimit"] = string.Create(CultureInfo.InvariantCulture, $"\"{policy.Name}\";r={Math.Max(left, 0)};t={reset}");
        if (left >= 0) return next(context);
        context.Response.Headers.RetryAfter = reset.ToString(CultureInfo.InvariantCulture);
        return Problems.WriteAsync(context, ProblemType.RateLimited, $"The limit is used up; it opens again in {reset} s.", violatedPolicy: policy.Name);
    }

    public void Dispose()
    {
        standard.Dispose();
        login.Dispose();
    }

    static string KeyOf(HttpContext context, Policy policy) =>
        policy.Name is Default && context.User.FindFirst("sub") is { } caller ? caller.Value : Network(context.Connection.RemoteIpAddress);

    /// <summary>An IPv6 client owns its /64.</summary>
    static string Network(IPAddress? address)
    {
        if (address is null) return "";
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        return address.AddressFamily is AddressFamily.InterNetwork ? address.ToString() : Convert.ToHexString(address.GetAddressBytes().AsSpan(0, 8));
    }

    sealed class Policy : IDisposable
    {
        readonly ConcurrentDictionary<string, Window> windows = new();
        readonly RateLimit limit;
        readonly TimeProvider time;
        readonly ITimer sweep;

        public Policy(string name, RateLimit limit, TimeProvider time)
        {
            (Name, this.limit, this.time) = (name, limit, time);
            Description = string.Create(CultureInfo.InvariantCulture, $"\"{name}\";q={limit.Permits};w={limit.WindowSeconds}");
            var every = TimeSpan.FromSeconds(limit.WindowSeconds);
            sweep = time.CreateTimer(_ => Sweep(), null, every, every);
        }

        public string Name { get; }

        public string Description { get; }

        /// <summary>Permits left after this one (negative: refused) and seconds until the window ends.</summary>
        public (int Left, int Reset) Take(string key)
        {
            var now = time.GetUtcNow().ToUnixTimeMilliseconds();
            var length = limit.WindowSeconds * 1000L;
            var window = windows.GetOrAdd(key, static (_, at) => new(at), now);
            int used;
            long end;
            lock (window)
            {
                if (now >= window.Start + length) (window.Start, window.Used) = (now, 0);
                if (window.Used <= limit.Permits) window.Used++;
                (used, end) = (window.Used, window.Start + length);
            }
            return (limit.Permits - used, (int)Math.Max(1, (end - now + 999) / 1000));
        }

        public void Dispose() => sweep.Dispose();

        void Sweep()
        {
            var ended = time.GetUtcNow().ToUnixTimeMilliseconds() - limit.WindowSeconds * 1000L;
            foreach (var pair in windows)
                if (pair.Value.Start < ended) windows.TryRemove(pair);
        }

        sealed class Window(long start)
        {
            public long Start = start;
            public int Used;
        }
    }
}

/// <summary>Marks an endpoint that machines poll: health and metrics.</summary>
public sealed record Unlimited;
