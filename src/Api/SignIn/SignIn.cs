using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>Tokens of a session, as login and refresh answer them.</summary>
/// <param name="ExpiresIn">Seconds until the access token expires.</param>
/// <param name="RefreshToken">Good once, for the next tokens.</param>
public sealed record TokenDocument(string AccessToken, string TokenType, int ExpiresIn, string RefreshToken);

/// <summary>A session by cookie, as login answers it.</summary>
/// <param name="CsrfToken">To be sent as <c>X-CSRF-Token</c> with everything that changes something.</param>
public sealed record CookieDocument(string CsrfToken, DateTimeOffset ExpiresAt);

/// <summary>Begins sessions and hands out what belongs to them.</summary>
public sealed class SignIn(
    IClusterClient cluster,
    Tokens tokens,
    SessionTokens sessionTokens,
    SessionCookie cookies,
    SessionLimits options,
    TimeProvider time
)
{
    const int LongestAgent = 256;

    /// <summary>
    /// Begins a session of an account whose owner is known by some methods, and answers its tokens, or sets its cookie.
    /// </summary>
    public async Task BeginAsync(
        HttpContext context,
        Guid id,
        Account account,
        long version,
        string[] methods,
        bool byCookie
    )
    {
        var session = Guid.CreateVersion7();
        var start = new StartSession(
            id,
            version,
            byCookie ? Session.Cookie : Session.Token,
            methods,
            time.GetUtcNow().AddHours(options.AbsoluteHours),
            Agent(context)
        );
        var intent = context.Intend(id) with { Session = session };
        var begun = await ClusterCalls.SendAsync(intent, sent =>
            cluster.GetGrain<ISessionGrain>(session).Execute(start, sent)
        );
        await AnswerAsync(context, session, begun.Value!, account, version);
    }

    /// <summary>
    /// Changes a refresh token for the next tokens. Of two that come with one token, one succeeds, and the session is
    /// over: somebody has a copy.
    /// </summary>
    public async Task RefreshAsync(HttpContext context, string refreshToken)
    {
        if (sessionTokens.ReadRefresh(refreshToken) is var (session, generation))
            await UseAsync(
                context,
                session,
                new RefreshSession(generation),
                context.Intend(session) with
                {
                    Session = session,
                }
            );
        else
            await RefuseAsync(context);
    }

    /// <summary>
    /// Notes that the caller has authenticated again, and answers new tokens, or sets a new cookie; those from before
    /// are void.
    /// </summary>
    public Task StepUpAsync(HttpContext context, string[] methods) =>
        UseAsync(context, context.Caller().Credential!.Value, new AuthenticateSession(methods), context.Intend());

    async Task UseAsync(HttpContext context, Guid session, SessionCommand command, Intent intent)
    {
        if (
            await ClusterCalls.SendAsync(intent, sent => cluster.GetGrain<ISessionGrain>(session).Use(command, sent)) is
            { } open
        )
            await AnswerAsync(context, session, open.Session, open.Account, open.AccountVersion);
        else
            await RefuseAsync(context);
    }

    Task AnswerAsync(HttpContext context, Guid session, Session state, Account account, long version)
    {
        context.Response.Headers.CacheControl = "no-store";
        if (state.Kind is Session.Cookie)
        {
            cookies.Set(context.Response, session, state.Generation);
            return Responses.OkAsync(
                context,
                new CookieDocument(sessionTokens.Csrf(session), state.ExpiresAt),
                SignInJson.Default.EnvelopeCookieDocument
            );
        }
        var (token, seconds) = tokens.Issue(session, state, account, version);
        return Responses.OkAsync(
            context,
            new TokenDocument(token, "Bearer", seconds, sessionTokens.Refresh(session, state.Generation)),
            SignInJson.Default.EnvelopeTokenDocument
        );
    }

    static Task RefuseAsync(HttpContext context) =>
        Problems.WriteAsync(
            context,
            ProblemType.SessionOver,
            "The session is over, or this is not its token. Log in again."
        );

    /// <summary>What a client calls itself, for the list of sessions.</summary>
    static string? Agent(HttpContext context)
    {
        var text = context.Request.Headers.UserAgent.ToString();
        if (text is "" || !StrictJson.TextIsClean(text))
            return null;
        text = new([.. text.Where(c => !char.IsControl(c))]);
        return text.Length <= LongestAgent ? text : text[..LongestAgent];
    }
}
