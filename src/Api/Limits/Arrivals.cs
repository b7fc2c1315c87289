using Microsoft.AspNetCore.Http.Features;

namespace Resources.Api;

/// <summary>
/// Bodies that are still arriving. Their requests are not worked on meanwhile, so that a sender who dawdles takes no place
/// from others; and of the memory that they hold, nobody has more than a share.
/// </summary>
public sealed class Arrivals(OverloadOptions options, Overload overload)
{
    /// <summary>Of what guests may hold, those of one neighbourhood may hold this part.</summary>
    const int PartsOfGuests = 4;

    readonly AddressShares all = new(
        Bytes(options.MaxArrivingKiB),
        Bytes(options.MaxArrivingKiBPerAddress),
        Bytes(options.MaxArrivingKiBPerNeighbourhood)
    );

    readonly NetworkShares guests = new(
        Bytes(options.MaxArrivingKiBOfGuests),
        Math.Max(1, Bytes(options.MaxArrivingKiBOfGuests) / PartsOfGuests),
        isNeighbourhood: true
    );

    /// <summary>Middleware, behind authorization: watches the body of a request that has one.</summary>
    public Task WatchAsync(HttpContext context, RequestDelegate next) =>
        context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: true }
            ? WatchBodyAsync(context, next)
            : next(context);

    async Task WatchBodyAsync(HttpContext context, RequestDelegate next)
    {
        var body = new ArrivingBody(context, context.Request.BodyReader, this);
        context.Features.Set<IRequestBodyPipeFeature>(body);
        try
        {
            await next(context);
        }
        finally
        {
            body.Forget();
        }
    }

    /// <summary>Counts bytes of a body that is not complete.</summary>
    /// <returns>False if there are too many.</returns>
    internal bool TryHold(HttpContext context, long bytes)
    {
        var address = context.Connection.RemoteIpAddress;
        if (!all.TryTake(address, bytes))
            return false;
        if (!IsGuest(context) || guests.TryTake(address, bytes))
            return true;
        all.Return(address, bytes);
        return false;
    }

    internal void Release(HttpContext context, long bytes)
    {
        var address = context.Connection.RemoteIpAddress;
        all.Return(address, bytes);
        if (IsGuest(context))
            guests.Return(address, bytes);
    }

    internal void GoesOn(HttpContext context) => overload.GoesOn(context);

    static bool IsGuest(HttpContext context) => context.User.Identity is not { IsAuthenticated: true };

    static long Bytes(int kibibytes) => kibibytes * 1024L;
}
