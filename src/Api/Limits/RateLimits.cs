using System.Collections.Frozen;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>
/// Fixed windows per caller, or per network for anonymous callers, across the cluster. Every limited response reports
/// the caller's standing.
/// </summary>
public sealed class RateLimits(
    IEnumerable<RateLimitPolicy> declared,
    MasterKey master,
    IClusterClient cluster,
    TimeProvider time
) : IAsyncDisposable
{
    public const string Default = "default";
    public const string Login = "login";
    public const string LoginAccount = "login_account";
    public const string Mfa = "mfa";
    public const string Reset = "reset";
    public const string Streams = "streams";

    readonly FrozenDictionary<string, LeasedLimit> policies = declared.ToFrozenDictionary(
        policy => policy.Name,
        policy => new LeasedLimit(policy.Name, policy.Limit, master.Derive("keys of limits"), cluster, time)
    );

    readonly FrozenSet<string> byCaller = declared
        .Where(policy => policy.ByCaller)
        .Select(policy => policy.Name)
        .ToFrozenSet();

    /// <summary>Middleware: counts the request and refuses it when its window is used up.</summary>
    public Task LimitAsync(HttpContext context, RequestDelegate next)
    {
        var endpoint = context.GetEndpoint();
        if (endpoint?.Metadata.GetMetadata<Unlimited>() is not null)
            return next(context);
        var policy = endpoint?.Metadata.GetMetadata<LimitedBy>()?.Policy ?? Default;
        var key =
            byCaller.Contains(policy) && Caller.Of(context.User) is { } caller
                ? caller.Id
                : Network(context.Connection.RemoteIpAddress);
        var refusal = RefusalAsync(context, policy, key);
        // The node usually holds permits, so the usual request awaits nothing here.
        return refusal.IsCompletedSuccessfully
            ? ContinueAsync(refusal.Result, context, next)
            : ContinueAsync(refusal, context, next);
    }

    static async Task ContinueAsync(ValueTask<Answer?> refusal, HttpContext context, RequestDelegate next) =>
        await ContinueAsync(await refusal, context, next);

    static Task ContinueAsync(Answer? refusal, HttpContext context, RequestDelegate next) =>
        refusal is null ? next(context) : refusal.ExecuteAsync(context);

    /// <summary>Takes a permit of a further limit for a request; returns the refusal if none is left.</summary>
    /// <param name="key">The account, address or network that the permit counts for.</param>
    public async ValueTask<Answer?> RefusalAsync(HttpContext context, string policy, string key)
    {
        var limit = policies[policy];
        var standing = await limit.TakeAsync(key);
        // The headers show the tightest limit: this one if it refuses or has fewer permits left than the one shown.
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
                $"The limit is used up ({limit.Words}). It opens again in {standing.Reset} s.",
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

    /// <summary>Takes a permit where no response can carry the headers; false if none is left.</summary>
    public async ValueTask<bool> TakeAsync(string policy, string key) =>
        (await policies[policy].TakeAsync(key)).Allowed;

    /// <summary>Gives back a permit, for example after a successful login.</summary>
    public void Refund(string policy, string key) => policies[policy].Refund(key);

    /// <summary>The network that an address counts for: an IPv6 client owns its /64.</summary>
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
