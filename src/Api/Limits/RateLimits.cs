using System.Collections.Frozen;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>
/// Fixed windows by caller, else by address, for the whole cluster; every limited answer says where its caller stands.
/// </summary>
public sealed class RateLimits(RateLimitOptions options, MasterKey master, IClusterClient cluster, TimeProvider time)
    : IAsyncDisposable
{
    public const string Default = "default";
    public const string Login = "login";
    public const string LoginAccount = "login_account";
    public const string Mfa = "mfa";
    public const string Reset = "reset";
    public const string Streams = "streams";

    readonly FrozenDictionary<string, LeasedLimit> policies = new (string Name, RateLimit Limit)[]
    {
        (Default, options.Default),
        (Login, options.Login),
        (LoginAccount, options.LoginAccount),
        (Mfa, options.Mfa),
        (Reset, options.Reset),
        (Streams, options.Streams),
    }.ToFrozenDictionary(
        policy => policy.Name,
        policy => new LeasedLimit(policy.Name, policy.Limit, master.Derive("keys of limits"), cluster, time)
    );

    /// <summary>Middleware: counts the request and refuses it when its window is used up.</summary>
    public Task LimitAsync(HttpContext context, RequestDelegate next)
    {
        var endpoint = context.GetEndpoint();
        if (endpoint?.Metadata.GetMetadata<Unlimited>() is not null)
            return next(context);
        var policy = endpoint?.Metadata.GetMetadata<LimitedBy>()?.Policy ?? Default;
        // Ways in are tried by those who are nobody yet, or anybody.
        var key =
            policy is Default or Mfa or Streams && Caller.Of(context.User) is { } caller
                ? caller.Id
                : Network(context.Connection.RemoteIpAddress);
        var allowed = TryAsync(context, policy, key);
        // Mostly the node has permits: then nothing waits here.
        return allowed.IsCompletedSuccessfully
            ? allowed.Result
                ? next(context)
                : Task.CompletedTask
            : GoOnAsync(allowed, context, next);
    }

    static async Task GoOnAsync(ValueTask<bool> allowed, HttpContext context, RequestDelegate next)
    {
        if (await allowed)
            await next(context);
    }

    /// <summary>Takes a permit of another limit for a request; when there is none the refusal is written.</summary>
    /// <param name="key">Whom it counts for.</param>
    public async ValueTask<bool> TryAsync(HttpContext context, string policy, string key)
    {
        if (await RefusalAsync(context, policy, key) is not { } refused)
            return true;
        await refused.ExecuteAsync(context);
        return false;
    }

    /// <summary>Takes a permit of another limit for a request; null when there was one.</summary>
    /// <param name="key">Whom it counts for.</param>
    public async ValueTask<Answer?> RefusalAsync(HttpContext context, string policy, string key)
    {
        var limit = policies[policy];
        var standing = await limit.TakeAsync(key);
        // What limits most is shown: the last one that was asked is so if it refuses, or has less left.
        if (standing.Allowed && LeftAsShown(context) <= standing.Left)
            return null;
        context.Response.Headers["RateLimit-Policy"] = limit.Description;
        context.Response.Headers["RateLimit"] = string.Create(
            CultureInfo.InvariantCulture,
            $"\"{policy}\";r={Math.Max(standing.Left, 0)};t={standing.Reset}"
        );
        return standing.Allowed
            ? null
            : Answer.Refused(
                ProblemType.RateLimited,
                $"The limit is used up; it opens again in {standing.Reset} s.",
                retryAfter: (int)standing.Reset,
                violatedPolicy: policy
            );
    }

    static int LeftAsShown(HttpContext context) =>
        context.Response.Headers["RateLimit"] is [{ } shown]
        && shown.IndexOf(";r=", StringComparison.Ordinal) is >= 0 and var at
            ? int.Parse(
                shown.AsSpan(at + 3, shown.IndexOf(";t=", StringComparison.Ordinal) - at - 3),
                CultureInfo.InvariantCulture
            )
            : int.MaxValue;

    /// <summary>Takes a permit where there is no answer to write one on.</summary>
    public async ValueTask<bool> TakeAsync(string policy, string key) =>
        (await policies[policy].TakeAsync(key)).Allowed;

    /// <summary>Gives back a permit that was taken for nothing.</summary>
    public void Refund(string policy, string key) => policies[policy].Refund(key);

    /// <summary>Whose address it is: an IPv6 client owns its /64.</summary>
    public static string Network(IPAddress? address)
    {
        if (address is null)
            return "";
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        return address.AddressFamily is AddressFamily.InterNetwork
            ? address.ToString()
            : Convert.ToHexString(address.GetAddressBytes().AsSpan(0, 8));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var policy in policies.Values)
            await policy.DisposeAsync();
    }
}
