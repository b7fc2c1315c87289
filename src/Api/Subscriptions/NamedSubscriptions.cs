using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>The subscription that an address names, as far as the caller reaches it.</summary>
sealed class NamedSubscriptions(SubscriptionQueries queries, RoleRights rights)
{
    static readonly Answer Missing = Answer.Refused(ProblemType.SubscriptionNotFound, "There is no such subscription.");

    /// <summary>The owner whose subscriptions the caller may reach; null = all owners.</summary>
    public static Guid? OwnerFor(HttpContext context) =>
        context.Visible() is { IsAll: false } visible ? Guid.Parse(visible.Account) : null;

    /// <summary>Answers a read of a subscription; 404 where there is none that the caller may see.</summary>
    public async Task<Answer> ReadAsync(HttpContext context, string id, Func<Subscription, Task<Answer>> answer) =>
        await FindAsync(context, id) is { } found ? await answer(found) : Missing;

    /// <summary>
    /// Answers a change of a subscription. Nobody manages what belongs to an account that may do more than they: that
    /// is 403.
    /// </summary>
    /// <param name="missing">The answer where there is none that the caller may see; null = 404.</param>
    public async Task<Answer> ManageAsync(
        HttpContext context,
        string id,
        Func<Subscription, Task<Answer>> answer,
        Answer? missing = null
    ) =>
        await FindAsync(context, id) is not { } found ? missing ?? Missing
        : await rights.CheckManagingAsync(context.Caller(), found.Owner) is { } refusal ? refusal
        : await answer(found);

    async Task<Subscription?> FindAsync(HttpContext context, string id) =>
        Ids.TryParse(id, out var subscription)
            ? await queries.FindAsync(subscription, OwnerFor(context), context.RequestAborted)
            : null;
}
