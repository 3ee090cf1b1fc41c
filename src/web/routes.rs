// SPDX-License-Identifier: EUPL-1.2
//! Routes that declare who may reach them: there is no other way to add one (RG-116, P-002).
use super::{Error, auth::Visitor};
use crate::{accounts::Role, app::App};
use axum::{
    Router,
    extract::Request,
    handler::Handler,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get, post},
};

/// Who may reach a route. What depends on a campaign or an operation is checked by the handler's
/// `authorize`; the declaration tells the generated tests what to expect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody, signed in or not.
    Public,
    /// Anybody who has signed in.
    SignedIn,
    /// One of these roles, checked before the handler.
    Roles(&'static [Role]),
    /// The person's right on the campaign in the path.
    Campaign(Right),
    /// A technician's own operation.
    OwnOperation,
}

/// The rights of RG-115 and RG-117 as routes declare them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    View,
    Configure,
    Export,
    Own,
    /// `configure`, or the assignee within the workflow's roles.
    Transition,
    /// `configure`: the history of the campaign.
    Audit,
    /// `view`, and the role that creates campaigns.
    Copy,
}

pub struct Declared {
    pub method: &'static str,
    pub path: &'static str,
    pub access: Access,
}

#[derive(Default)]
pub struct Routes {
    pub router: Router<App>,
    pub table: Vec<Declared>,
}

impl Routes {
    pub fn get<H: Handler<T, App>, T: 'static>(
        self,
        path: &'static str,
        access: Access,
        handler: H,
    ) -> Self {
        self.add("GET", path, access, get(handler))
    }

    pub fn post<H: Handler<T, App>, T: 'static>(
        self,
        path: &'static str,
        access: Access,
        handler: H,
    ) -> Self {
        self.add("POST", path, access, post(handler))
    }

    /// For a route with layers of its own: an upload without the usual size limit.
    pub fn add(
        mut self,
        method: &'static str,
        path: &'static str,
        access: Access,
        route: MethodRouter<App>,
    ) -> Self {
        let route = match access {
            Access::Public => route,
            _ => route.layer(middleware::from_fn(move |request: Request, next: Next| {
                guard(access, request, next)
            })),
        };
        self.router = self.router.route(path, route);
        self.table.push(Declared { method, path, access });
        self
    }

    pub fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.table.extend(other.table);
        self
    }
}

async fn guard(access: Access, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Some(user) = Visitor::of(&parts).user else {
        return Error::login_required(&parts).into_response();
    };
    if let Access::Roles(roles) = access
        && !roles.iter().any(|role| user.roles.has(*role))
    {
        return Error::Forbidden.into_response();
    }
    next.run(Request::from_parts(parts, body)).await
}
