using System.Globalization;
using System.Text;
using System.Text.Json;
using GraphQL;
using GraphQL.Resolvers;
using GraphQL.Types;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>What a mutation answers.</summary>
sealed record GraphWritten(Guid Id, ResourceRow? Row, long Position, bool Replayed);

/// <summary>The fields of mutations. Each is a request of REST, and a commit of its own.</summary>
sealed class GraphMutations(ResourceDoor door)
{
    /// <summary>The mutations of a type; of those that nobody declared without one.</summary>
    public IEnumerable<FieldType> Of(
        TypeDefinition? type,
        IReadOnlyList<GraphMember> members,
        IGraphType row,
        GraphScalars scalars,
        GraphInputs inputs,
        List<IGraphType> more
    )
    {
        var name = type is null ? "Resource" : GraphNames.TypeOf(type.Name);
        var whole = inputs.Whole(name, members, hasType: type is null);
        var patch = inputs.Patch(name, members);
        var payload = Payload(name, type is null ? "resource" : GraphNames.FieldOf(type.Name), row, scalars);
        var deleted = more.OfType<ObjectGraphType<GraphWritten>>().FirstOrDefault(each => each.Name is "DeletePayload");
        if (deleted is null)
            more.Add(deleted = Payload("Delete", null, row, scalars));
        more.Add(payload);
        var id = new QueryArgument(GraphTypes.Some(scalars.Id)) { Name = "id" };
        var key = new QueryArgument(scalars.Text) { Name = "idempotencyKey" };
        var ifVersion = new QueryArgument(scalars.Integer) { Name = "ifVersion" };
        yield return Field("create" + name, payload, [new(GraphTypes.Some(whole)) { Name = "input" }, key], context =>
            CreateAsync(context, whole, type?.Name)
        );
        yield return Field(
            "replace" + name,
            payload,
            [
                id,
                new(GraphTypes.Some(whole)) { Name = "input" },
                new(GraphTypes.Some(scalars.Integer)) { Name = "ifVersion" },
                key,
            ],
            context =>
                ChangeAsync(context, type?.Name, Permissions.ResourceUpdate, "input", whole, (resource, body, faults) =>
                    ResourceBodies.Replacement(body.RootElement, resource, faults)
                )
        );
        yield return Field(
            "patch" + name,
            payload,
            [id, new(GraphTypes.Some(patch)) { Name = "patch" }, ifVersion, key],
            context =>
                ChangeAsync(context, type?.Name, Permissions.ResourceUpdate, "patch", patch, (_, body, _) =>
                    new PatchResource(PatchFormat.Merge, JsonMarshalBytes(body))
                )
        );
        yield return Field("delete" + name, deleted, [id, ifVersion, key], context =>
            ChangeAsync(context, type?.Name, Permissions.ResourceDelete, new DeleteResource())
        );
        yield return Field("restore" + name, payload, [id, ifVersion, key], context =>
            ChangeAsync(context, type?.Name, Permissions.ResourceDelete, new RestoreResource())
        );
    }

    static byte[] JsonMarshalBytes(JsonDocument body) =>
        System.Runtime.InteropServices.JsonMarshal.GetRawUtf8Value(body.RootElement).ToArray();

    static FieldType Field(
        string name,
        IGraphType payload,
        QueryArguments arguments,
        Func<IResolveFieldContext, Task<GraphWritten>> run
    ) =>
        new()
        {
            Name = name,
            ResolvedType = GraphTypes.Some(payload),
            Arguments = arguments,
            Resolver = new FuncFieldResolver<object>(async context => await run(context)),
        };

    static ObjectGraphType<GraphWritten> Payload(string name, string? field, IGraphType row, GraphScalars scalars)
    {
        var payload = new ObjectGraphType<GraphWritten> { Name = name + "Payload" };
        payload.AddField(
            field is null
                ? Of("id", GraphTypes.Some(scalars.Id), written => written.Id.ToString())
                : Of(field, row, written => written.Row)
        );
        payload.AddField(
            Of("position", GraphTypes.Some(scalars.Position), written => Responses.Text(written.Position))
        );
        payload.AddField(Of("replayed", GraphTypes.Some(scalars.Truth), written => written.Replayed));
        return payload;
    }

    static FieldType Of(string name, IGraphType type, Func<GraphWritten, object?> read) =>
        new()
        {
            Name = name,
            ResolvedType = type,
            Resolver = new FuncFieldResolver<object>(context => read((GraphWritten)context.Source!)),
        };

    async Task<GraphWritten> CreateAsync(IResolveFieldContext context, InputObjectGraphType form, string? type)
    {
        var body = Body(context, "input", form, type);
        var faults = new List<Fault>();
        using var document = StrictJson.Read(body, faults);
        var create = document is null ? null : ResourceBodies.Creation(document.RootElement, faults);
        if (create is null)
            throw Invalid("input", faults);
        var operation = (GraphOperation)context.UserContext;
        var attempt = Attempt(context, body, Conditions.None);
        var id = attempt.NewId(operation.Caller);
        if (
            await ResponseMemory.TakeAsync(operation.Http, operation.Caller.Id, create.Metadata.Utf8.Length) is
            { } memory
        )
            operation.Hold(memory);
        return await ExecuteAsync(operation, id, create, attempt, "input");
    }

    async Task<GraphWritten> ChangeAsync(
        IResolveFieldContext context,
        string? type,
        string permission,
        string argument,
        InputObjectGraphType form,
        Func<Guid, JsonDocument, List<Fault>, ResourceCommand?> read
    )
    {
        var id = await FindAsync(context, type, permission);
        var body = Body(context, argument, form, null);
        var faults = new List<Fault>();
        using var document = StrictJson.Read(body, faults);
        if (document is null || read(id, document, faults) is not { } command)
            throw Invalid(argument, faults);
        return await ExecuteAsync(
            (GraphOperation)context.UserContext,
            id,
            command,
            Attempt(context, body, ConditionsOf(context)),
            argument
        );
    }

    async Task<GraphWritten> ChangeAsync(
        IResolveFieldContext context,
        string? type,
        string permission,
        ResourceCommand command
    )
    {
        var id = await FindAsync(context, type, permission);
        return await ExecuteAsync(
            (GraphOperation)context.UserContext,
            id,
            command,
            Attempt(context, [], ConditionsOf(context)),
            ""
        );
    }

    async Task<Guid> FindAsync(IResolveFieldContext context, string? type, string permission)
    {
        if (
            !Ids.TryParse(IdOf(context), out var id)
            || type is not null
                && !await door.ReachesAsync(((GraphOperation)context.UserContext).Caller, permission, id, type)
        )
            throw new RefusedError(new Rejection(Refusal.NotFound, "There is no such resource."));
        return id;
    }

    async Task<GraphWritten> ExecuteAsync(
        GraphOperation operation,
        Guid id,
        ResourceCommand command,
        Attempt attempt,
        string argument
    )
    {
        var reply = await door.ExecuteAsync(operation.Caller, id, command, attempt);
        if (reply.Rejection is { } rejection)
            throw new RefusedError(
                rejection with
                {
                    Faults = rejection.Faults is { } faults ? [.. faults.Select(each => Within(argument, each))] : null,
                }
            );
        await operation.Reads.WroteAsync(reply.Position);
        return new(id, new(id, reply.Version, reply.Value!), reply.Position, reply.Replayed);
    }

    static byte[] Body(IResolveFieldContext context, string argument, InputObjectGraphType form, string? type) =>
        GraphInputs.Body(form, (IDictionary<string, object?>)context.Arguments![argument].Value!, type);

    static Attempt Attempt(IResolveFieldContext context, byte[] body, Conditions conditions)
    {
        var operation = (GraphOperation)context.UserContext;
        var faults = new List<Fault>();
        var key = context.Arguments?["idempotencyKey"].Value as string;
        if (key is not null && !IdempotencyKey.IsValid(key))
            throw Invalid("", [new("/idempotencyKey", "INVALID_KEY", IdempotencyKey.Form)]);
        if (key is null && operation.Roots is 1)
            key = IdempotencyKey.Read(operation.Http.Request, faults);
        if (faults is not [])
            throw Invalid("", faults);
        return IdempotencyKey.AttemptOf(
            operation.Http,
            key,
            conditions,
            [.. Encoding.UTF8.GetBytes($"{context.FieldDefinition.Name}\n{IdOf(context)}\n"), .. body]
        );
    }

    static Conditions ConditionsOf(IResolveFieldContext context) =>
        context.Arguments?["ifVersion"].Value is not WrittenNumber number ? Conditions.None
        : long.TryParse(number.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var version)
            ? new(false, [version], false, null)
        : throw Invalid("", [new("/ifVersion", "INVALID_PARAMETER", "ifVersion takes a version.")]);

    static string IdOf(IResolveFieldContext context) =>
        context.Arguments?.TryGetValue("id", out var id) is true
            ? Convert.ToString(id.Value, CultureInfo.InvariantCulture)!
            : "";

    static RefusedError Invalid(string argument, IReadOnlyList<Fault> faults) =>
        new(ProblemType.ValidationFailed, Problems.Summary(faults), [.. faults.Select(each => Within(argument, each))]);

    static Fault Within(string argument, Fault fault) =>
        argument is "" || !(fault.Pointer is "" or ['/', ..])
            ? fault
            : fault with
            {
                Pointer = $"/{argument}{fault.Pointer}",
            };
}
