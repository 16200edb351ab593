using System.Security.Claims;
using DeviceHub.Core.People;
using DeviceHub.Dashboard.Shared;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.Extensions.Logging.Abstractions;

namespace DeviceHub.UnitTests.Dashboard;

/// <summary>What people do on pages: as who they are, if they may, and once.</summary>
public sealed class DoingTests
{
    private readonly Person person = new();
    private readonly Doing doing;

    public DoingTests() => doing = new(new Me(person, person, person), NullLogger<Doing>.Instance);

    [Fact]
    public async Task Deed_is_done_in_the_name_of_the_person_and_from_the_persons_address()
    {
        Actor? by = null;
        Assert.True(await doing.Do(Policies.Operate, actor => Task.FromResult(by = actor)));
        Assert.Equal(new Actor("user:wang", "203.0.113.7"), by);
    }

    [Fact]
    public async Task Deed_of_who_may_no_more_is_not_done()
    {
        person.May = false;
        var done = 0;
        Assert.False(await doing.Do(Policies.Operate, _ => Task.FromResult(done++)));
        Assert.Equal(0, done);
        Assert.IsType<UnauthorizedAccessException>(doing.Fault);
    }

    [Theory]
    [InlineData(true, Roles.ReadOnly)]
    [InlineData(false, Roles.Operator)]
    public async Task Deed_of_whose_role_changed_or_session_ended_since_the_page_looked_is_not_done(bool goesOn, string role)
    {
        person.Now = goesOn ? person.Now! with { Role = role } : null;
        var done = 0;
        Assert.False(await doing.Do(Policies.Operate, _ => Task.FromResult(done++)));
        Assert.Equal(0, done);
        Assert.IsType<UnauthorizedAccessException>(doing.Fault);
    }

    [Fact]
    public async Task Second_click_while_the_first_is_being_done_does_nothing()
    {
        var (first, done) = (new TaskCompletionSource(), 0);
        var running = doing.Do(Policies.Operate, _ => { done++; return first.Task; });
        Assert.True(doing.Busy);
        Assert.False(await doing.Do(Policies.Operate, _ => Task.FromResult(done++)));
        first.SetResult();
        Assert.True(await running);
        Assert.Equal((1, false), (done, doing.Busy));
    }

    [Fact]
    public async Task Fault_stays_until_the_next_deed()
    {
        Assert.False(await doing.Do(Policies.Operate, _ => throw new TimeoutException()));
        Assert.IsType<TimeoutException>(doing.Fault);
        Assert.True(await doing.Do(Policies.Operate, _ => Task.CompletedTask));
        Assert.Null(doing.Fault);
    }

    /// <summary>Who is signed in, and what that one may.</summary>
    private sealed class Person : AuthenticationStateProvider, ISessions, IAuthorizationService
    {
        public bool May { get; set; } = true;

        public SignedIn? Now { get; set; } = new("session", "1", "wang", Roles.Operator, MustSetUp: false);

        public override Task<AuthenticationState> GetAuthenticationStateAsync() => Task.FromResult(new AuthenticationState(new(new ClaimsIdentity(
            [new(ClaimTypes.Name, "wang"), new(ClaimTypes.Role, Roles.Operator), new(PersonClaims.Session, "session"), new(PersonClaims.Address, "203.0.113.7")], "test"))));

        public ValueTask<SignedIn?> Find(string session, CancellationToken stop) => new(session == "session" ? Now : null);

        public Task<IReadOnlyList<Session>> List(string personId, CancellationToken stop) => throw new NotSupportedException();

        public Task<bool> End(Actor by, string personId, string session, CancellationToken stop) => throw new NotSupportedException();

        public Task<int> EndOthers(Actor by, string personId, string session, CancellationToken stop) => throw new NotSupportedException();

        public Task<AuthorizationResult> AuthorizeAsync(ClaimsPrincipal user, object? resource, IEnumerable<IAuthorizationRequirement> requirements) => throw new NotSupportedException();

        public Task<AuthorizationResult> AuthorizeAsync(ClaimsPrincipal user, object? resource, string policyName) =>
            Task.FromResult(May && policyName == Policies.Operate ? AuthorizationResult.Success() : AuthorizationResult.Failed());
    }
}
