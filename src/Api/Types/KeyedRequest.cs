using Microsoft.AspNetCore.Http.Features;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>
/// A request for whatever resource has a unique value. Values move on, so a command is only for what still has the value
/// when it runs. A repetition is for the resource that the first request was for.
/// </summary>
sealed class KeyedRequest(HttpContext context, TypeKeys keys, ResourceDoor door)
{
    /// <summary>Others may create, change and delete what has the value; whoever loses looks again, so many times.</summary>
    const int Tries = 8;

    static readonly Rejection Missing = new(Refusal.NotFound, "There is no such resource.");

    /// <summary>The resource of the first request with this key; null where there is none.</summary>
    Guid? recalled;

    public string Type { get; } = (string)context.Request.RouteValues["type"]!;

    /// <summary>What the address leads to.</summary>
    public KeyedResources Found { get; private set; } = null!;

    /// <summary>The resource that the request is for, unless its body says which one; null where none has the value.</summary>
    public Guid? Known => recalled ?? Found.First;

    Caller Caller => context.Caller();

    /// <summary>The same as <see cref="FindAsync"/>, before what is wrong with the request.</summary>
    public static Task<Rejection?> CheckAsync(HttpContext context) =>
        new KeyedRequest(
            context,
            context.RequestServices.GetRequiredService<TypeKeys>(),
            context.RequestServices.GetRequiredService<ResourceDoor>()
        ).FindAsync();

    /// <summary>
    /// Looks where the address leads. Returns why the caller reaches nothing there; null when they do, or may create it.
    /// </summary>
    public async Task<Rejection?> FindAsync()
    {
        if (await LookAsync() is not { } found)
            return Missing;
        Found = found;
        if (
            context.RequiredPermission() is not Permissions.ResourceRead
            && IdempotencyKey.Read(context.Request, []) is { } key
        )
            recalled = await keys.RecallAsync(Attempt.CommandOf(Caller, key), context.RequestAborted);
        if (HttpMethods.IsPut(context.Request.Method) && ResourceDoor.MayCreate(Caller, Type))
            return null;
        return await ReachesAsync(Known) ? null : Missing;
    }

    /// <summary>Whether a resource, which may be deleted, is within the caller's reach.</summary>
    public async Task<bool> ReachesAsync(Guid? id) =>
        id is { } known && await door.ReachesAsync(Caller, context.RequiredPermission(), known, Type);

    /// <summary>Sends a command to the resource.</summary>
    /// <param name="creation">What makes the resource where none has the value; null where that is a refusal.</param>
    /// <returns>The resource, whether it is new, and the reply.</returns>
    public async Task<(Guid Id, bool IsNew, Reply<Resource> Reply)> SendAsync(
        Attempt attempt,
        ResourceCommand command,
        CreateResource? creation = null
    )
    {
        var fresh = attempt.NewId(Caller);
        var target = creation is not null && recalled == fresh ? null : recalled ?? Target(creation);
        for (var tried = 1; ; tried++)
        {
            if (target is null && Absence(attempt, creation) is { } absent)
                return (fresh, false, Reply<Resource>.Refused(absent));
            var id = target ?? fresh;
            if (attempt.Key is { } key)
                await keys.RememberAsync(Attempt.CommandOf(Caller, key), id, context.RequestAborted);
            var reply = target is null
                ? await door.ExecuteAsync(Caller, id, creation!, attempt)
                : await door.ExecuteAsync(
                    Caller,
                    id,
                    command,
                    attempt with
                    {
                        Conditions = attempt.Conditions with { Has = Found.Value },
                    }
                );
            var before = Found;
            var next = await IsOvertakenAsync(reply) ? Target(creation) : target;
            if (next == target && Found.IsByRulesOf(before) || tried == Tries)
                return (id, target is null || reply.Replayed && id == fresh, reply);
            target = next;
        }
    }

    /// <summary>The resource that is meant: where texts and numbers are spelt alike, a new one says which.</summary>
    Guid? Target(CreateResource? creation) => creation is null ? Found.First : Found.Like(Made(creation));

    /// <summary>Why a request for what is not there cannot create it; null when it can.</summary>
    static Rejection? Absence(Attempt attempt, CreateResource? creation) =>
        creation is null ? Missing
        : attempt.Conditions is { IfMatchAny: true } or { IfMatch: not null }
            ? new(Refusal.VersionMismatch, "There is no resource with this value.")
        : null;

    /// <summary>Whether a refusal is due to others, who were faster; then it was looked again.</summary>
    async Task<bool> IsOvertakenAsync(Reply<Resource> reply)
    {
        if (
            reply.Rejection?.Kind
            is not (Refusal.NotUnique or Refusal.AlreadyExists or Refusal.Deleted or Refusal.NotFound)
        )
            return false;
        if (await LookAsync() is not { } found)
            return false;
        Found = found;
        return true;
    }

    Task<KeyedResources?> LookAsync() =>
        keys.FindAsync(
            Caller,
            Type,
            (string)context.Request.RouteValues["rule"]!,
            ValueIn(context),
            context.RequestAborted
        );

    /// <summary>The value as it was sent: routing leaves a slash in it encoded.</summary>
    static string ValueIn(HttpContext context)
    {
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.Split('?')[0];
        return Uri.UnescapeDataString(target[(target.LastIndexOf('/') + 1)..]);
    }

    /// <summary>The resource that a command would make, as far as unique values depend on it.</summary>
    public static Resource Made(CreateResource create) =>
        new(
            create.Type,
            create.Name,
            create.Status ?? Resource.DefaultStatus,
            create.Metadata,
            "",
            default,
            "",
            default,
            "",
            null
        );
}
