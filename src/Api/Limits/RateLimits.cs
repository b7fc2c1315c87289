using System.Collections.Frozen;
using System.Globalization;
using System.Net;
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
    public const string LoginPair = "login_pair";
    public const string LoginAccount = "login_account";
    public const string Mfa = "mfa";
    public const string Reset = "reset";
    public const string Streams = "streams";
    public const string Lookups = "lookups";

    /// <summary>A wider network has this many times the permits of the next narrower one.</summary>
    const int Widening = 4;

    readonly FrozenDictionary<string, LeasedLimit> policies = declared.ToFrozenDictionary(
        policy => policy.Name,
        policy => new LeasedLimit(policy.Name, policy.Limit, master.Derive("keys of limits"), cluster, time)
    );

    /// <summary>The limits of the wider networks of IPv6, in which one client may have many of the usual size.</summary>
    readonly FrozenDictionary<string, (int Bits, LeasedLimit Limit)[]> wider = declared.ToFrozenDictionary(
        policy => policy.Name,
        policy =>
            Networks
                .Wider.Select(
                    (bits, i) =>
                        (
                            bits,
                            new LeasedLimit(
                                policy.Name,
                                policy.Limit.Times((int)Math.Pow(Widening, i + 1)),
                                master.Derive("keys of limits"),
                                cluster,
                                time
                            )
                        )
                )
                .ToArray()
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
        var refusal =
            byCaller.Contains(policy) && Caller.Of(context.User) is { } caller
                ? RefusalAsync(context, policy, caller.Id)
                : RefusalAsync(context, policy, context.Connection.RemoteIpAddress);
        if (endpoint?.Metadata.GetMetadata<CreationLimit>() is { } creation)
            refusal = RefusalOfBothAsync(context, refusal, creation);
        // The node usually holds permits, so the usual request awaits nothing here.
        return refusal.IsCompletedSuccessfully
            ? ContinueAsync(refusal.Result, context, next)
            : ContinueAsync(refusal, context, next);
    }

    async ValueTask<Answer?> RefusalOfBothAsync(
        HttpContext context,
        ValueTask<Answer?> first,
        CreationLimit creation
    ) =>
        await first
        ?? await RefusalAsync(
            context,
            creation.Policy,
            Caller.Of(context.User)?.Id ?? Networks.Of(context.Connection.RemoteIpAddress)
        );

    static async Task ContinueAsync(ValueTask<Answer?> refusal, HttpContext context, RequestDelegate next) =>
        await ContinueAsync(await refusal, context, next);

    static Task ContinueAsync(Answer? refusal, HttpContext context, RequestDelegate next) =>
        refusal is null ? next(context) : refusal.ExecuteAsync(context);

    /// <summary>Takes a permit for an address, the narrowest network first: what that refuses uses up no wider one.</summary>
    async ValueTask<Answer?> RefusalAsync(HttpContext context, string policy, IPAddress? address)
    {
        if (await RefusalAsync(context, policy, Networks.Of(address)) is { } refusal)
            return refusal;
        foreach (var (bits, limit) in wider[policy])
            if (
                Networks.OfSix(address, bits) is { } network
                && RefusalOf(context, policy, limit, await limit.TakeAsync(network)) is { } refused
            )
                return refused;
        return null;
    }

    /// <summary>Takes a permit of a further limit for a request; returns the refusal if none is left.</summary>
    /// <param name="key">The account, address or network that the permit counts for.</param>
    public async ValueTask<Answer?> RefusalAsync(HttpContext context, string policy, string key) =>
        RefusalOf(context, policy, policies[policy], await policies[policy].TakeAsync(key));

    /// <summary>As <see cref="RefusalAsync(HttpContext, string, string)"/>; also how much is used up, from 0 to 1.</summary>
    public async ValueTask<(Answer? Refusal, double Used)> CountAsync(HttpContext context, string policy, string key)
    {
        var limit = policies[policy];
        var standing = await limit.TakeAsync(key);
        return (RefusalOf(context, policy, limit, standing), 1 - (double)standing.Left / limit.Permits);
    }

    static Answer? RefusalOf(HttpContext context, string policy, LeasedLimit limit, Standing standing)
    {
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

    public async ValueTask DisposeAsync()
    {
        foreach (var limit in policies.Values.Concat(wider.Values.SelectMany(all => all.Select(each => each.Limit))))
            await limit.DisposeAsync();
    }
}
